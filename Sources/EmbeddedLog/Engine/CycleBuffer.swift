import Glibc

/// The bytes of one commit cycle: written to the journal as they are, then read by tail readers and
/// by the flusher. Immutable once committed.
final class CycleBuffer: @unchecked Sendable {
    // Unchecked: filled by the commit thread before anyone else sees it.
    let memory: UnsafeMutableRawPointer
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        memory = malloc(capacity)!
    }

    deinit { free(memory) }

    func bytes(_ start: Int, _ count: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: memory + start, count: count)
    }
}
