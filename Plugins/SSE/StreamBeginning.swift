import Martlet

/// Where a connection begins.
struct StreamBeginning {
    let state: ConnectionState
    /// What the client missed cannot be told: it gets an `event: gap`.
    let hasGap: Bool

    /// - Parameters:
    ///   - keys: what messages match the connection by; nil if it gets all.
    ///   - live: the shard's positions now: the connection must be in the shard before they move.
    ///   - asked: what the log answered to the start's question, after the request came.
    init(
        _ start: StreamStart, keys: [Bytes]?, layout: StreamLayout?, live: StreamPositions, asked: StreamPositions?,
        replay: (any MessageReplay)?
    ) {
        guard let replay, let layout, let asked else {
            state = .live
            if case .unknown = start { hasGap = layout != nil } else { hasGap = false }
            return
        }
        let positions: StreamPositions
        if case .cursor(let cursor) = start {
            (positions, hasGap) = StreamStart.resolve(cursor, layout: layout, live: live, ends: asked)
        } else {
            positions = asked
            hasGap = false
        }
        let later = layout.topics.map { topic in
            (keys ?? []).compactMap { replay.partition(of: $0, topic: topic).map { Int($0) } }
        }
        state = ConnectionState(resumingAt: positions, live: live, later: later)
    }
}
