package import Martlet

/// Keeps one database open, and its outbox if a source saves to it.
package final class DatabaseRunner: Sendable {
    package let name: String
    package let database: any Database
    package let outbox: Outbox
    package var readiness: Readiness { opening.readiness }
    package var outboxReadiness: Readiness { openingOutbox.readiness }

    private let opening: PartOpening
    private let openingOutbox: PartOpening

    package init(name: String, database: any Database, outbox: Outbox, logger: Logger) {
        self.name = name
        self.database = database
        self.outbox = outbox
        opening = PartOpening(logger: logger.with("database", name))
        openingOutbox = PartOpening(logger: logger.with("outbox", name))
    }

    /// Starts what does not run yet; returns at once.
    package func start(withOutbox: Bool) {
        opening.start("database \(name)") { [database] in try await database.open() }
        guard withOutbox else { return }
        openingOutbox.start { [name, outbox, readiness] opener in
            try await readiness.wait()
            try await opener.open("the outbox of database \(name)") { try await outbox.open() }
        }
    }

    /// Answers what was taken, then closes. Nothing may use the database any more.
    package func stop() async {
        await opening.cancel()
        await openingOutbox.cancel()
        await outbox.close()
        outboxReadiness.closed()
        await database.close()
        readiness.closed()
    }
}
