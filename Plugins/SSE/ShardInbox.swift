import Martlet
import Synchronization

/// Live items on their way to a shard: many batches share one wake-up of its loop. Bounded: who adds waits while more
/// than ``limit`` items are there.
final class ShardInbox: Sendable {
    /// Items of all batches together; one batch may pass it.
    static let limit = 8_192
    /// Items that may wait while none of them is urgent.
    static let quietLimit = 512

    private struct State {
        var batches: [[LiveItem]] = []
        var count = 0
        /// Whether the loop was woken for what is here.
        var isAwaited = false
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Also once it is closed: nobody is to wait for a loop that has ended.
    var hasRoom: Bool { state.withLock { $0.count < Self.limit || $0.isClosed } }

    /// Returns whether the loop must be woken.
    ///
    /// - Parameter isUrgent: false for items that can wait for others.
    func add(_ items: [LiveItem], isUrgent: Bool) -> Bool {
        state.withLock { state in
            if state.isClosed { return false }
            state.batches.append(items)
            state.count += items.count
            guard !state.isAwaited, isUrgent || state.count >= Self.quietLimit else { return false }
            state.isAwaited = true
            return true
        }
    }

    func take() -> [[LiveItem]] {
        state.withLock { state in
            defer {
                state.batches = []
                state.count = 0
                state.isAwaited = false
            }
            return state.batches
        }
    }

    /// Takes nothing more.
    func close() {
        state.withLock { $0 = State(isClosed: true) }
    }
}
