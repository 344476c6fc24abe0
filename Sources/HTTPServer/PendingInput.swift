import CEvent

/// Bytes received and not yet consumed by the parser: the start of a request, or requests that wait for their turn.
/// Holds no memory while empty.
struct PendingInput {
    private(set) var count = 0
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0

    var isEmpty: Bool { count == 0 }

    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory, count: count) }

    mutating func append(_ start: UnsafeRawPointer, _ added: Int) {
        guard added > 0 else { return }
        if count + added > capacity {
            capacity = max(count + added, capacity * 2, 512)
            memory = realloc(memory, capacity)
        }
        guard let memory else { preconditionFailure("out of memory for \(capacity) bytes of input") }
        memcpy(memory + count, start, added)
        count += added
    }

    mutating func removePrefix(_ consumed: Int) {
        guard consumed > 0 else { return }
        count -= consumed
        guard count > 0, let memory else { return release() }
        memmove(memory, memory + consumed, count)
    }

    mutating func release() {
        free(memory)
        memory = nil
        capacity = 0
        count = 0
    }
}
