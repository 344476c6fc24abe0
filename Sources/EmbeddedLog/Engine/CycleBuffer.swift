/// The bytes of one commit cycle: written to the journal as they are, then read by tail readers and
/// by the flusher. Immutable once committed.
final class CycleBuffer: @unchecked Sendable {
    // Unchecked: filled by the commit thread before anyone else sees it.

    /// Smaller entries are copied for the journal, which takes whole blocks: in memory they would be mostly padding.
    static let smallBytes = 32 << 10

    let memory: UnsafeMutableRawPointer
    let size: Int
    /// Bytes of memory taken.
    let capacity: Int

    init(size: Int) {
        self.size = size
        let isSmall = size < Self.smallBytes
        capacity = isSmall ? size : JournalFormat.padded(size)
        memory = .allocate(byteCount: capacity, alignment: isSmall ? 16 : JournalFormat.block)
        (memory + size).initializeMemory(as: UInt8.self, repeating: 0, count: capacity - size)
    }

    deinit { memory.deallocate() }

    func bytes(_ start: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory + start, count: count)
    }
}
