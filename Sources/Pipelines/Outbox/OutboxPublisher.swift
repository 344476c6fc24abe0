import Martlet

/// Publishes outbox rows to the log, in their order, one append under way at a time.
///
/// A row that the log refuses holds back the later ones and is tried again for ever; one that it can never take, since its
/// limit was lowered after the row was written, is named, so that an operator can raise the limit or delete the row. Rows that
/// the log has from before a crash are dropped by the log itself, which knows the last sequence of each producer.
struct OutboxPublisher: Sendable {
    /// Rows read from the database at once, and published in one append, at most.
    private static let pageRows = 1_000
    /// Bytes of them, about; one row at least. An append has to fit into the log's journal.
    private static let pageBytes = 4 << 20

    let database: any Database
    let table: OutboxTable
    let log: any EventLog
    let buffer: OutboxBuffer
    let progress: OutboxProgress
    let owner: String
    let producerID: Int64
    /// Called when there is nothing left to publish.
    let onIdle: @Sendable () -> Void
    let logger: Logger

    /// A row that the log cannot take.
    private struct Held {
        var sequence: Int64 = 0
        var attempts = 0
        var backoff = Backoff(initial: .milliseconds(50), maximum: .seconds(5))
    }

    /// Runs until the task is cancelled or the buffer is closed and empty.
    func run() async {
        var held = Held()
        while !Task.isCancelled {
            do {
                switch buffer.take() {
                case .rows(let rows): try await publish(rows, &held)
                case .database(let after): try await publish(try await read(after: after, isAgain: held.attempts > 0), &held)
                case .nothing:
                    if buffer.isClosed { return }
                    onIdle()
                    await buffer.wait()
                }
            } catch {
                // Only a cancellation gets here; what was not published waits in the database.
                return
            }
        }
    }

    /// - Parameter isAgain: rows that were read before may have been deleted by hand.
    private func read(after: Int64, isAgain: Bool) async throws -> [OutboxRow] {
        try await retrying("read the outbox") {
            try await database.transaction { connection in
                let page = try table.page(
                    owner: owner, after: after, rowLimit: Self.pageRows, byteLimit: Self.pageBytes, connection)
                if isAgain || progress.mustRecount {
                    progress.recounted(try table.count(owner: owner, connection))
                } else {
                    progress.exist(page.rows)
                }
                buffer.readFromDatabase(page.rows, reachedEnd: page.isLast)
                return page.rows
            }
        }
    }

    private func publish(_ rows: [OutboxRow], _ held: inout Held) async throws {
        var start = 0
        // Alone, the row that was held: the log may keep others of an append that it refuses.
        var limit = held.attempts > 0 ? 1 : Self.pageRows
        var isHeld = held.attempts > 0
        while start < rows.count {
            let part = Self.part(of: rows, from: start, limit: limit)
            let mark = ProducerMark(producerID: producerID, rows: part.map(\.sequence))
            do {
                try await retrying("publish to topic \(rows[start].topic)", unless: .permanent) {
                    _ = try await log.append(part.map(\.event), to: rows[start].topic, mark: mark)
                }
            } catch let error as ModuleError {
                // One by one, until the row at fault is found.
                if part.count == 1 { return try await hold(rows[start], error, &held) }
                limit = 1
                continue
            }
            held = Held()
            if isHeld {
                isHeld = false
                limit = Self.pageRows
            }
            progress.acknowledged(through: rows[part.endIndex - 1].sequence)
            start = part.endIndex
        }
    }

    /// The rows of one append: of one topic, and within the limits.
    private static func part(of rows: [OutboxRow], from start: Int, limit: Int) -> ArraySlice<OutboxRow> {
        var end = start + 1
        var bytes = rows[start].byteCount
        while end < rows.count, rows[end].topic == rows[start].topic, end - start < limit {
            bytes += rows[end].byteCount
            if bytes > pageBytes { break }
            end += 1
        }
        return rows[start..<end]
    }

    /// Says which row the log cannot take, waits, and lets the outbox be read again from there: the row may be gone by then.
    private func hold(_ row: OutboxRow, _ error: ModuleError, _ held: inout Held) async throws {
        if held.sequence != row.sequence { held = Held(sequence: row.sequence) }
        held.attempts += 1
        if held.attempts & (held.attempts - 1) == 0 {
            logger.error(
                "the log cannot take a row of the outbox, which holds back all later ones: \(error.message). Mend what it names "
                    + "(for an event that is too large, raise `log.max_record_bytes` and restart), or give the event up: DELETE FROM "
                    + "martlet_outbox WHERE owner = '\(owner)' AND sequence = \(row.sequence)",
                ("code", error.code), ("topic", row.topic.text), ("event", row.event.id.string), ("bytes", String(row.byteCount)))
        }
        try await Task.sleep(for: held.backoff.next())
        buffer.readAgain(after: row.sequence - 1)
    }

    /// - Parameter unless: a kind of error that is thrown: trying again would not help.
    private func retrying<Value>(
        _ what: String, unless: ModuleError.Kind? = nil, _ body: () async throws -> Value
    ) async throws -> Value {
        var backoff = Backoff(initial: .milliseconds(50), maximum: .seconds(5))
        var attempts = 0
        while true {
            try Task.checkCancellation()
            do {
                let value = try await body()
                if attempts > 0 { logger.info("can \(what) again, after \(attempts) failed attempts") }
                return value
            } catch {
                if let unless, let failure = error as? ModuleError, failure.kind == unless { throw failure }
                attempts += 1
                if attempts & (attempts - 1) == 0 {
                    logger.warning("cannot \(what): \(error); the events wait in the outbox")
                }
                try await Task.sleep(for: backoff.next())
            }
        }
    }
}
