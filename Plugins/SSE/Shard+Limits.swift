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

    /// Takes a piece that the stream has no room for; a client whose oldest may not be dropped is disconnected for it.
    func hold(_ piece: Backlog.Piece, for connection: Connection) {
        guard settings.dropsOldest else { return disconnect(connection, .slow) }
        if connection.backlog == nil {
            connection.backlog = Backlog()
            backlogged.append(connection)
            scheduleBacklogs()
        }
        let before = connection.backlog?.dropped ?? 0
        connection.backlog?.append(piece, limit: settings.bufferBytes / 2)
        metrics.dropped.add((connection.backlog?.dropped ?? 0) - before)
    }

    private func scheduleBacklogs() {
        guard !isBacklogDue, !backlogged.isEmpty else { return }
        isBacklogDue = true
        services.schedule(self, after: Shard.pauseCheck) { shard in
            shard.isBacklogDue = false
            let waiting = shard.backlogged
            shard.backlogged = []
            for connection in waiting where connection.stream != nil { shard.flush(connection) }
            shard.count()
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
            while let piece = backlog.first, stream.write(piece.chunk) {
                tally.add(piece)
                backlog.removeFirst()
            }
        }
        guard !backlog.isEmpty else { return }
        connection.backlog = backlog
        backlogged.append(connection)
    }
}
