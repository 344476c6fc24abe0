import Martlet
import Synchronization

/// Counts a channel's connections on all loops, against its limits.
final class ConnectionLimits: Sendable {
    /// The limits of the config.
    struct Maximums: Sendable {
        var total: Int
        var perKey: Int
        var perUser: Int
        /// Nil for no limit.
        var perAddress: Int?
        /// New ones in a second, of which as many may come at once.
        var perSecond: Int
    }

    enum Verdict: Equatable {
        case admitted
        /// The channel has `max_connections`, or closes.
        case full
        /// `max_new_connections_per_second` came.
        case tooFast
        /// The key has `max_connections_per_key`, and so on.
        case keyFull, userFull, addressFull
    }

    private struct State {
        var total = 0
        var byKey: [Bytes: Int] = [:]
        var byUser: [String: Int] = [:]
        var byAddress: [String: Int] = [:]
        var tokens: Double
        var tokensAt: ContinuousClock.Instant
        var isClosed = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    let maximums: Maximums
    private let countsKeys: Bool
    private let state: Mutex<State>

    /// - Parameter countsKeys: false for a channel whose every connection gets everything.
    init(_ maximums: Maximums, countsKeys: Bool) {
        self.maximums = maximums
        self.countsKeys = countsKeys
        state = Mutex(State(tokens: Double(maximums.perSecond), tokensAt: .now))
    }

    /// Counts a connection in, until ``release(_:)``.
    func admit(_ peer: StreamPeer, now: ContinuousClock.Instant = .now) -> Verdict {
        state.withLock { state in
            guard state.total < maximums.total, !state.isClosed else { return .full }
            if let user = peer.user, state.byUser[user, default: 0] >= maximums.perUser { return .userFull }
            if let perAddress = maximums.perAddress, let address = peer.address,
                state.byAddress[address, default: 0] >= perAddress
            { return .addressFull }
            if countsKeys, peer.keys.contains(where: { state.byKey[$0, default: 0] >= maximums.perKey }) { return .keyFull }
            guard takeToken(&state, now) else { return .tooFast }
            state.total += 1
            if countsKeys { for key in peer.keys { state.byKey[key, default: 0] += 1 } }
            if let user = peer.user { state.byUser[user, default: 0] += 1 }
            if let address = peer.address { state.byAddress[address, default: 0] += 1 }
            return .admitted
        }
    }

    private func takeToken(_ state: inout State, _ now: ContinuousClock.Instant) -> Bool {
        let rate = Double(maximums.perSecond)
        state.tokens = min(rate, state.tokens + rate * max(0, (now - state.tokensAt) / .seconds(1)))
        state.tokensAt = now
        guard state.tokens >= 1 else { return false }
        state.tokens -= 1
        return true
    }

    func release(_ peer: StreamPeer) {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.total -= 1
            if countsKeys { for key in peer.keys { Self.decrease(&state.byKey, key) } }
            if let user = peer.user { Self.decrease(&state.byUser, user) }
            if let address = peer.address { Self.decrease(&state.byAddress, address) }
            guard state.total == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private static func decrease<Key>(_ counts: inout [Key: Int], _ key: Key) {
        guard let count = counts[key] else { return }
        counts[key] = count > 1 ? count - 1 : nil
    }

    /// Admits nobody any more.
    func close() {
        state.withLock { $0.isClosed = true }
    }

    /// Whether nobody is admitted any more.
    var isOver: Bool { state.withLock { $0.isClosed } }

    var count: Int { state.withLock { $0.total } }

    /// Who is connected, those with the most connections first.
    func connections(limit: Int) -> ChannelConnections {
        let (total, byKey, byUser) = state.withLock { ($0.total, $0.byKey, $0.byUser) }
        return ChannelConnections(
            total: total, recipientCount: byKey.count, userCount: byUser.count,
            recipients: Self.top(byKey.map { ($0.key.string, $0.value) }, limit),
            users: Self.top(byUser.map { ($0.key, $0.value) }, limit))
    }

    private static func top(_ counts: [(String, Int)], _ limit: Int) -> [ChannelConnections.Count] {
        counts.sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(limit).map { .init(name: $0.0, connections: $0.1) }
    }

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
            let isOver = state.withLock { state in
                // The time may be up before this task begins: then nobody would come to release it.
                let isOver = state.total == 0 || Task.isCancelled
                if !isOver { state.waiters.append(continuation) }
                return isOver
            }
            if isOver { continuation.resume() }
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
