import Synchronization

/// Numbers outbox rows: `epoch << 32 | counter`.
final class OutboxSequences: Sendable {
    private struct State {
        var producerID: Int64 = 0
        var next: Int64 = 0
    }

    private let state = Mutex(State())

    /// Starts the epoch that the database gave to this opening.
    func begin(producerID: Int64, epoch: Int64) {
        state.withLock { $0 = State(producerID: producerID, next: epoch << 32 + 1) }
    }

    /// The sequence that the next row gets.
    var upcoming: Int64 { state.withLock { $0.next } }

    var producerID: Int64 { state.withLock { $0.producerID } }

    func next() -> Int64 {
        state.withLock { state in
            defer { state.next += 1 }
            return state.next
        }
    }
}
