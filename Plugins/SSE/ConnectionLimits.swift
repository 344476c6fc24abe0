import Martlet
import Synchronization

/// Counts a channel's connections on all loops, against its limits.
final class ConnectionLimits: Sendable {
    enum Verdict {
        case admitted
        /// The channel has `max_connections`.
        case full
        /// The key has `max_connections_per_key`.
        case keyFull
    }

    private struct State {
        var total = 0
        var byKey: [Bytes: Int] = [:]
        var isClosed = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    let total: Int
    let perKey: Int
    private let state = Mutex(State())

    init(total: Int, perKey: Int) {
        self.total = total
        self.perKey = perKey
    }

    /// Counts a connection in, until ``release(_:)``.
    func admit(_ key: Bytes, countsKey: Bool) -> Verdict {
        state.withLock { state in
            guard state.total < total, !state.isClosed else { return .full }
            if countsKey {
                let count = state.byKey[key, default: 0]
                guard count < perKey else { return .keyFull }
                state.byKey[key] = count + 1
            }
            state.total += 1
            return .admitted
        }
    }

    func release(_ key: Bytes) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.total -= 1
            if let count = state.byKey[key] { state.byKey[key] = count > 1 ? count - 1 : nil }
            guard state.total == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Admits nobody any more.
    func close() {
        state.withLock { $0.isClosed = true }
    }

    /// Whether nobody is admitted any more.
    var isOver: Bool { state.withLock { $0.isClosed } }

    var count: Int { state.withLock { $0.total } }

    /// Returns once there is no connection, or after a time.
    func waitUntilEmpty(atMost time: Duration) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.waitUntilEmpty() }
            group.addTask { try? await Task.sleep(for: time) }
            await group.next()
            group.cancelAll()
            self.releaseWaiters()
        }
    }

    private func waitUntilEmpty() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.total > 0 { state.waiters.append(continuation) }
                return state.total == 0
            }
            if isEmpty { continuation.resume() }
        }
    }

    private func releaseWaiters() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }
}
