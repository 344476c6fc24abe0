import Martlet
import Synchronization

/// Live items on their way to a shard: many batches share one wake-up of its loop. Bounded: who adds waits while more
/// than ``limit`` items are there.
final class ShardInbox: Sendable {
    /// Items of all batches together; one batch may pass it.
    static let limit = 8_192

    private struct State {
        var batches: [[LiveItem]] = []
        var count = 0
    }

    private let state = Mutex(State())

    var hasRoom: Bool { state.withLock { $0.count < Self.limit } }

    /// Returns whether the loop must be woken.
    func add(_ items: [LiveItem]) -> Bool {
        state.withLock { state in
            state.batches.append(items)
            state.count += items.count
            return state.batches.count == 1
        }
    }

    func take() -> [[LiveItem]] {
        state.withLock { state in
            defer { state = State() }
            return state.batches
        }
    }
}
