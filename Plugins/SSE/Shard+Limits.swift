import Martlet

/// Streams that end, or wait, because of what the config allows them.
extension Shard {
    // MARK: Credentials

    /// Ends the streams whose callers' credentials have ended; looks once a second while there may be any.
    func watchExpiry() {
        guard !isExpiryWatched, expiringCount > 0 else { return }
        isExpiryWatched = true
        services.schedule(self, after: .seconds(1)) { shard in
            shard.isExpiryWatched = false
            shard.endExpired(now: Timestamp.now())
            shard.watchExpiry()
        }
    }

    private func endExpired(now: Int64) {
        for connection in table.all.filter({ $0.peer.expiresAt <= now }) { disconnect(connection, .expired) }
    }

    // MARK: Slow clients

    /// Takes a chunk that the stream has no room for.
    /// - Returns: false if the client is disconnected for it.
    func hold(_ chunk: HTTPChunk, for connection: Connection) -> Bool {
        guard settings.dropsOldest else {
            disconnect(connection, .slow)
            return false
        }
        if connection.backlog == nil {
            connection.backlog = Backlog()
            backlogged.append(connection)
            scheduleBacklogs()
        }
        let before = connection.backlog?.dropped ?? 0
        connection.backlog?.append(chunk, limit: settings.bufferBytes / 2)
        metrics.dropped.add((connection.backlog?.dropped ?? 0) - before)
        return true
    }

    private func scheduleBacklogs() {
        guard !isBacklogDue, !backlogged.isEmpty else { return }
        isBacklogDue = true
        services.schedule(self, after: Shard.pauseCheck) { shard in
            shard.isBacklogDue = false
            let waiting = shard.backlogged
            shard.backlogged = []
            for connection in waiting where connection.stream != nil { shard.flush(connection) }
            shard.scheduleBacklogs()
        }
    }

    /// Writes what the stream has room for again, the note on what was dropped first.
    private func flush(_ connection: Connection) {
        guard let stream = connection.stream, var backlog = connection.backlog else { return }
        connection.backlog = nil
        // A client that takes nothing is not asked again and again: it must have made some room.
        if stream.queuedBytes <= settings.bufferBytes / 8 {
            if backlog.dropped > 0 {
                metrics.gap(.slow)
                _ = stream.write(gap(.slow, nil))
                backlog.told()
            }
            while let chunk = backlog.first, stream.write(chunk) { backlog.removeFirst() }
        }
        guard !backlog.isEmpty else { return }
        connection.backlog = backlog
        backlogged.append(connection)
    }
}
