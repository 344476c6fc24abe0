/// Heap memory behind a ``Bytes``, with the zeroed padding that vectorised readers need.
final class ByteStorage {
    let memory: UnsafeMutableRawPointer

    private init(capacity: Int) {
        memory = .allocate(byteCount: capacity + Bytes.paddingCount, alignment: 16)
        (memory + capacity).initializeMemory(as: UInt8.self, repeating: 0, count: Bytes.paddingCount)
    }

    static func make(capacity: Int) -> ByteStorage {
        ByteStorage(capacity: capacity)
    }

    deinit {
        memory.deallocate()
    }
}
