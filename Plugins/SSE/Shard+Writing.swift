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
            enqueue(chunk, events: 1, to: connection)
        case .gap(let chunk, let reason):
            metrics.gap(reason)
            enqueue(chunk, events: 0, to: connection)
        }
    }

    /// Writes a chunk at the next ``flush()``.
    func enqueue(_ chunk: HTTPChunk, events: Int, to connection: Connection) {
        if connection.outgoing.isEmpty { outbox.dirty.append(connection) }
        connection.outgoing.append(chunk)
        connection.outgoingBytes += chunk.content.count
        connection.outgoingEvents += events
    }

    /// Writes what waits in the outbox. A client that is too slow for it is disconnected; it resumes by its last id.
    func flush() {
        if outbox.dirty.isEmpty { return }
        let connections = outbox.dirty
        outbox.dirty.removeAll(keepingCapacity: true)
        var events = 0
        var bytes = 0
        for connection in connections {
            let chunks = connection.outgoing
            let total = connection.outgoingBytes
            let count = connection.outgoingEvents
            connection.outgoing.removeAll(keepingCapacity: false)
            connection.outgoingBytes = 0
            connection.outgoingEvents = 0
            if write(chunks, total, to: connection) {
                events += count
                bytes += total
            }
        }
        outbox.forget()
        metrics.delivered.add(events)
        metrics.bytes.add(bytes)
    }

    private func write(_ chunks: [HTTPChunk], _ total: Int, to connection: Connection) -> Bool {
        guard let stream = connection.stream else { return false }
        connection.wasWrittenSinceTurn = true
        if total <= Outbox.joinLimit {
            if stream.write(outbox.joined(chunks)) { return true }
            disconnect(connection, .slow)
            return false
        }
        for chunk in chunks where !stream.write(chunk) {
            disconnect(connection, .slow)
            return false
        }
        return connection.stream != nil
    }
}
