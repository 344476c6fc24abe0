import Martlet

extension Shard {
    /// Starts the heartbeat, which goes on for as long as the services run what is scheduled.
    func startHeartbeat() {
        services.schedule(self, after: settings.heartbeat / Upkeep.turns) { shard in
            shard.beat()
            shard.startHeartbeat()
        }
    }

    /// One turn: a line to those of its connections to which nothing was written since their last turn.
    private func beat() {
        services.takeWaiting(for: self)
        let hasMoved = upkeep.startTurn(at: version)
        let moved = EventRenderer.heartbeat(appendID: id(hasMoved ? positions : nil))
        let connections = table.all.filter { $0.turn == upkeep.turn }
        for connection in connections {
            connection.state.settle(live: positions)
            connection.idleTurns += 1
            if let limit = settings.idleTimeout, settings.heartbeat * connection.idleTurns > limit {
                disconnect(connection, .idle)
                continue
            }
            if connection.wasWrittenSinceTurn { continue }
            // One that catches up has a way behind it that it need not go again.
            let own = connection.state.ownPositions.map { EventRenderer.heartbeat(appendID: id($0)) }
            write(own ?? moved, to: connection)
        }
        count()
        for connection in connections { connection.wasWrittenSinceTurn = false }
    }

    /// Tells every client when to reconnect, each at another time, and ends the streams.
    ///
    /// - Parameter spread: the time over which all clients come back.
    func drain(spread: Duration) {
        let connections = table.all
        let span = Int(spread / .milliseconds(1))
        for (index, connection) in connections.enumerated() {
            let wait = settings.retryMilliseconds + span * index / max(1, connections.count)
            write(EventRenderer.retry(milliseconds: wait), to: connection)
            if connection.stream != nil { disconnect(connection, .drain) }
        }
        count()
    }

    /// Ends every stream.
    func close() {
        for connection in table.all where connection.stream != nil { disconnect(connection, .closed) }
    }
}
