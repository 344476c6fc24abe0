import Martlet

/// Where a connection begins.
struct StreamBeginning {
    let state: ConnectionState
    /// What the client missed cannot be told: it gets an `event: gap`.
    let hasGap: Bool

    /// - Parameters:
    ///   - key: what messages match the connection by; empty if it gets all.
    ///   - live: the shard's positions now: the connection must be in the shard before they move.
    /// - Throws: what the replay throws while the log cannot tell.
    init(
        _ start: StreamStart, key: Bytes, layout: StreamLayout?, live: StreamPositions, replay: (any MessageReplay)?
    ) throws {
        guard let replay, let layout else {
            state = .live
            hasGap = false
            return
        }
        let positions: StreamPositions
        switch start {
        case .latest, .unknown:
            state = .live
            if case .unknown = start { hasGap = true } else { hasGap = false }
            return
        case .earliest:
            positions = StreamPositions(try replay.starts())
            hasGap = false
        case .cursor(let cursor):
            (positions, hasGap) = StreamStart.resolve(
                cursor, layout: layout, live: live, ends: StreamPositions(try replay.ends()))
        }
        let later = layout.topics.map { topic in
            key.isEmpty ? -1 : replay.partition(of: key, topic: topic).map { Int($0) } ?? -1
        }
        state = ConnectionState(resumingAt: positions, live: live, later: later)
    }
}
