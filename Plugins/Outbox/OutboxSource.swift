package import Martlet
import Synchronization

/// Takes events from the rows of a table, of whatever database: the outbox of an application that writes there itself.
///
/// 1. decode: ``OutboxSourceConfig``.
/// 2. validate: the database exists, and tells of new rows if it is to.
/// 3. open: listens.
/// 4. work: once the table's lease is this source's, reads rows in the order of `id_column`, and deletes or marks them once their
///    events are in the log. A crash in between brings them again, with the same ids.
/// 5. close: what is under way ends first; then another host may have the table.
package final class OutboxSource: EventSource {
    package typealias Config = OutboxSourceConfig

    package static let name = "outbox"
    package static let summary = "Takes events from the rows of a table that an application writes, in PostgreSQL or SQLite."

    private let rows: OutboxRows
    private let lease: OutboxLease
    private let settings: Config
    private let database: any Database
    private let logger: Logger
    private let rejected: Counter
    private let payloads: any PayloadReader
    private let task = SourceTask()
    private let bell = Bell()
    private let subscription = Mutex<Subscription?>(nil)

    package init?(config: Config, context: ModuleContext) {
        guard let database = context.database(config.database) else { return nil }
        if let listen = config.listen, !(database is any NotifyingDatabase) {
            context.problem(at: listen.place, "database `\(config.database.plain)` tells nobody of new rows; leave `listen` out, and set `poll_ms`")
            return nil
        }
        self.database = database
        settings = config
        rows = OutboxRows(config, database)
        logger = context.logger
        lease = OutboxLease(
            database, name: "outbox/\(config.table.plain)" + (config.markColumn.map { "/\($0)" } ?? ""),
            holder: { [hostID = context.hostID, name = context.name] in "\(hostID())/\(name)" }, logger: context.logger)
        payloads = context.payloads
        rejected = context.metrics.counter(
            "martlet_outbox_source_rejected_total", "Rows whose events were refused.", labels: [("source", context.name)])
    }

    package var templateVariables: Set<TemplateVariableKind> { [] }

    package func open(intake: any Intake) async throws {
        if let channel = settings.listen?.plain, let database = database as? any NotifyingDatabase {
            let listening = database.listen(on: channel) { [bell] in bell.ring() }
            subscription.withLock { $0 = listening }
        }
        task.start(logger: logger) { [self] in try await run(intake) }
    }

    package func close() async {
        let listening = subscription.withLock { subscription in
            defer { subscription = nil }
            return subscription
        }
        listening?.cancel()
        await task.stop()
        await lease.giveBack()
    }

    private func run(_ intake: any Intake) async throws {
        try await lease.open()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            defer { tasks.cancelAll() }
            tasks.addTask { [self] in try await lease.keep { bell.ring() } }
            tasks.addTask { [self] in try await publish(intake) }
            try await tasks.next()
        }
    }

    private func publish(_ intake: any Intake) async throws {
        while true {
            try Task.checkCancellation()
            guard lease.isHeld else {
                try await bell.wait(atMost: lease.pause)
                continue
            }
            let batch = try await rows.read(limit: settings.batchEvents)
            if batch.isEmpty {
                try await bell.wait(atMost: .milliseconds(settings.pollMilliseconds))
                continue
            }
            var inputs: [SourceInput] = []
            var places: [Int] = []
            var refused: [Int: ModuleError] = [:]
            for (index, row) in batch.enumerated() {
                do throws(ModuleError) {
                    inputs.append(try rows.input(row, payloads))
                    places.append(index)
                } catch {
                    refused[index] = error
                }
            }
            let errors = try await intake.settle(inputs) { [logger] error in
                logger.warning("rows wait: \(error.message)", ("code", error.code))
            }
            for (index, error) in errors { refused[places[index]] = error }
            for (index, error) in refused { reject(batch[index], error) }
            try await rows.finish(batch)
        }
    }

    /// A row that is no event would otherwise stand before all others for ever.
    private func reject(_ row: OutboxRows.Row, _ error: ModuleError) {
        rejected.add()
        logger.error("a row was refused, and counts as done: \(error.message)", ("code", error.code), ("id", row.id.rendered))
    }
}
