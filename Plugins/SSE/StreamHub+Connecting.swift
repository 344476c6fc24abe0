import Martlet

extension StreamHub {
    /// Opens a stream; on the connection's loop, which is its shard's.
    func connect(_ request: StreamRequest, _ exchange: any HTTPExchange) throws(StreamRefusal) {
        let shard = shards[exchange.loopIndex]
        let beginning: StreamBeginning
        do {
            beginning = try StreamBeginning(
                request.start, key: request.key, layout: shard.layout, live: shard.positions, replay: replay)
        } catch {
            throw .logAway((error as? ModuleError)?.message ?? "\(error)")
        }
        switch limits.admit(request.key, countsKey: !matcher.matchesEverything) {
        case .admitted: shard.open(exchange, key: request.key, beginning)
        case .full: throw .full(limits.total)
        case .keyFull: throw .keyFull(limits.perKey)
        }
    }
}
