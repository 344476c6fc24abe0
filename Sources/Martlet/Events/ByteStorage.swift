/// Heap memory behind a ``Bytes``, with the zeroed padding that vectorised readers need. Object and bytes are one allocation.
final class ByteStorage: ManagedBuffer<Void, UInt8> {
    static func make(capacity: Int) -> ByteStorage {
        let buffer = create(minimumCapacity: capacity + Bytes.paddingCount) { _ in () }
        buffer.withUnsafeMutablePointerToElements { elements in
            (elements + capacity).initialize(repeating: 0, count: Bytes.paddingCount)
        }
        return unsafeDowncast(buffer, to: ByteStorage.self)
    }

    /// Valid while this object lives.
    var memory: UnsafeMutableRawPointer {
        withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0) }
    }
}
