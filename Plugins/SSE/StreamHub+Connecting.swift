import Martlet

extension StreamHub {
    /// Opens a stream; on the connection's loop, which is its shard's. From the moment it stands in the shard's table
    /// no live message passes it by, and what it missed before is read from the log.
    func connect(_ request: StreamRequest, _ exchange: any HTTPExchange, bufferBytes: Int) throws(StreamRefusal) {
        let shard = shards[exchange.loopIndex]
        let (state, hasGap) = try beginning(request, shard)
        switch limits.admit(request.key, countsKey: !matcher.matchesEverything) {
        case .admitted: break
        case .full: throw .full(limits.total)
        case .keyFull: throw .keyFull(limits.perKey)
        }
        let connection = Connection(key: request.key, state: state, turn: shard.upkeep.takeTurn())
        let handle = ConnectionHandle(connection)
        let stream = exchange.startStream(
            status: 200, headers: StreamRequest.headers, queueLimit: bufferBytes
        ) {
            shard.ended(handle.connection)
        }
        guard !connection.hasEnded else { return limits.release(request.key) }
        connection.stream = stream
        shard.add(connection)
        shard.start(connection, hasGap: hasGap)
    }

    /// Where a stream begins, and whether its client must be told of a gap.
    private func beginning(
        _ request: StreamRequest, _ shard: Shard
    ) throws(StreamRefusal) -> (ConnectionState, hasGap: Bool) {
        guard let replay, let layout = shard.layout else { return (.live, false) }
        let positions: StreamPositions
        var hasGap = false
        do {
            switch request.start {
            case .latest: return (.live, false)
            case .unknown: return (.live, true)
            case .earliest: positions = StreamPositions(try replay.starts())
            case .cursor(let cursor):
                (positions, hasGap) = StreamStart.resolve(
                    cursor, layout: layout, live: shard.positions, ends: StreamPositions(try replay.ends()))
            }
        } catch {
            throw .logAway((error as? ModuleError)?.message ?? "\(error)")
        }
        let later = layout.topics.map { topic in
            request.key.isEmpty ? -1 : replay.partition(of: request.key, topic: topic).map { Int($0) } ?? -1
        }
        return (ConnectionState(resumingAt: positions, live: shard.positions, later: later), hasGap)
    }
}
