import Martlet

/// Publishes outbox rows to the log, in their order, one append under way at a time.
///
/// A row that the log refuses holds back the later ones and is tried again for ever. Rows that the log has from before
/// a crash are dropped by the log itself, which knows the last sequence of each producer.
struct OutboxPublisher: Sendable {
    /// Rows read from the database at once, and published in one append at most.
    private static let pageRows = 1_000

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

    /// Runs until the task is cancelled or the buffer is closed and empty.
    func run() async {
        while !Task.isCancelled {
            do {
                switch buffer.take() {
                case .rows(let rows): try await publish(rows)
                case .database(let after): try await publish(try await read(after: after))
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

    private func read(after: Int64) async throws -> [OutboxRow] {
        try await retrying("read the outbox") {
            try await database.transaction { connection in
                let rows = try table.rows(owner: owner, after: after, limit: Self.pageRows, connection)
                if buffer.mustRecount { progress.opened(waiting: try table.count(connection)) }
                buffer.readFromDatabase(rows, reachedEnd: rows.count < Self.pageRows)
                return rows
            }
        }
    }

    private func publish(_ rows: [OutboxRow]) async throws {
        var start = 0
        while start < rows.count {
            var end = start + 1
            while end < rows.count, rows[end].topic == rows[start].topic, end - start < Self.pageRows { end += 1 }
            let part = rows[start..<end]
            let mark = ProducerMark(producerID: producerID, rows: part.map(\.sequence))
            try await retrying("publish to topic \(rows[start].topic)") {
                _ = try await log.append(part.map(\.event), to: rows[start].topic, mark: mark)
            }
            progress.acknowledged(through: rows[end - 1].sequence)
            start = end
        }
    }

    private func retrying<Value>(_ what: String, _ body: () async throws -> Value) async throws -> Value {
        var backoff = Backoff(initial: .milliseconds(50), maximum: .seconds(5))
        var attempts = 0
        while true {
            try Task.checkCancellation()
            do {
                let value = try await body()
                if attempts > 0 { logger.info("can \(what) again, after \(attempts) failed attempts") }
                return value
            } catch {
                attempts += 1
                if attempts & (attempts - 1) == 0 {
                    logger.warning("cannot \(what): \(error); the events wait in the outbox")
                }
                try await Task.sleep(for: backoff.next())
            }
        }
    }
}
