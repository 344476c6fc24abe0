import CEvent

/// A request body while it arrives. Grows with what was received, not with what was announced, so that announcing
/// large bodies costs a server nothing.
final class BodyBuffer {
    private(set) var count = 0
    private var memory: UnsafeMutableRawPointer?
    private var capacity: Int
    private static let firstBytesMax = 64 * 1024

    /// - Parameter expectedCount: the announced length, or 0 when unknown.
    init(expectedCount: Int) {
        capacity = min(max(expectedCount, 256), BodyBuffer.firstBytesMax)
        memory = allocateMemory(capacity + SharedBytes.spareCount)
    }

    deinit {
        free(memory)
    }

    func append(_ start: UnsafeRawPointer, _ added: Int) {
        if count + added > capacity {
            capacity = max(capacity * 2, count + added)
            memory = realloc(memory, capacity + SharedBytes.spareCount)
        }
        guard let memory else { preconditionFailure("out of memory for a body of \(capacity) bytes") }
        memcpy(memory + count, start, added)
        count += added
    }

    /// Hands the memory over; the buffer is empty afterwards.
    func take() -> SharedBytes {
        guard let memory else { return .empty }
        self.memory = nil
        return SharedBytes(adopting: memory, count: count)
    }
}
