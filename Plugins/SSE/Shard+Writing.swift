import Martlet

extension Shard {
    /// Renders a message.
    ///
    /// - Parameter positions: its id; nil for a message without a place, which keeps its event's own id.
    /// - Returns: nil if the templates cannot render it, which was counted.
    func render(_ message: Message, _ positions: StreamPositions?) -> EventRenderer.Rendered? {
        do throws(ModuleError) {
            if let positions { return try renderer.event(message, appendID: id(positions)) }
            let appendID = layout == nil ? Self.eventID(message.record.event.id) : { (_: inout [UInt8]) in false }
            return try renderer.event(message, appendID: appendID)
        } catch {
            metrics.unrendered.add()
            let count = metrics.unrendered.value
            // A template that fails fails often: 1, 2, 4, 8… are enough.
            if count & (count - 1) == 0 {
                logger.warning("an event could not be rendered: \(error)", ("so_far", String(count)))
            }
            return nil
        }
    }

    func gap(_ reason: GapReason, _ positions: StreamPositions?) -> HTTPChunk {
        renderer.gap(reason, appendID: id(positions))
    }

    /// Appends the cursor of these positions; nothing without a replay.
    func id(_ positions: StreamPositions?) -> (inout [UInt8]) -> Bool {
        guard let layout, let positions else { return { _ in false } }
        return { text in
            StreamCursor.append(positions, layout, to: &text)
            return true
        }
    }

    /// An event's own id, unless it has characters that an `id` line cannot carry.
    private static func eventID(_ id: Bytes) -> (inout [UInt8]) -> Bool {
        { text in
            id.withUnsafeBytes { bytes in
                if bytes.isEmpty || bytes.contains(where: { $0 < 0x20 }) { return false }
                text += bytes
                return true
            }
        }
    }

    func send(_ rendered: EventRenderer.Rendered, to connection: Connection) {
        switch rendered {
        case .event(let chunk):
            connection.idleTurns = 0
            write(chunk, to: connection, isEvent: true)
        case .gap(let chunk, let reason):
            metrics.gap(reason)
            write(chunk, to: connection)
        }
    }

    /// Writes a chunk. A client that is too slow for it is disconnected; it resumes by its last id.
    func write(_ chunk: HTTPChunk, to connection: Connection, isEvent: Bool = false) {
        guard let stream = connection.stream else { return }
        connection.wasWrittenSinceTurn = true
        let piece = Backlog.Piece(chunk: chunk, isEvent: isEvent)
        // What waits goes first, and counts as written once it is.
        if connection.backlog != nil || !stream.write(chunk) { hold(piece, for: connection) } else { tally.add(piece) }
    }

    /// Adds what was written to the metrics, once a batch.
    func count() {
        metrics.delivered.add(tally.events)
        metrics.bytes.add(tally.bytes)
        tally = Tally()
    }

    /// What was written since the metrics were told.
    struct Tally {
        var events = 0
        var bytes = 0

        mutating func add(_ piece: Backlog.Piece) {
            if piece.isEvent { events += 1 }
            bytes += piece.chunk.content.count
        }
    }
}
