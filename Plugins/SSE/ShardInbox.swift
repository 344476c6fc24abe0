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
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Also once it is closed: nobody is to wait for a loop that has ended.
    var hasRoom: Bool { state.withLock { $0.count < Self.limit || $0.isClosed } }

    /// Returns whether the loop must be woken.
    func add(_ items: [LiveItem]) -> Bool {
        state.withLock { state in
            if state.isClosed { return false }
            state.batches.append(items)
            state.count += items.count
            return state.batches.count == 1
        }
    }

    func take() -> [[LiveItem]] {
        state.withLock { state in
            defer {
                state.batches = []
                state.count = 0
            }
            return state.batches
        }
    }

    /// Takes nothing more.
    func close() {
        state.withLock { $0 = State(isClosed: true) }
    }
}
