package import Martlet
import Synchronization

/// Keeps one database open, and its outbox if a source saves to it.
package final class DatabaseRunner: Sendable {
    package let name: String
    package let database: any Database
    package let outbox: Outbox
    package let readiness = Readiness()
    package let outboxReadiness = Readiness()

    private struct State {
        var opening: Task<Void, Never>?
        var openingOutbox: Task<Void, Never>?
    }

    private let logger: Logger
    private let state = Mutex(State())

    package init(name: String, database: any Database, outbox: Outbox, logger: Logger) {
        self.name = name
        self.database = database
        self.outbox = outbox
        self.logger = logger.with("database", name)
    }

    /// Starts what does not run yet; returns at once.
    package func start(withOutbox: Bool) {
        state.withLock { state in
            if state.opening == nil { state.opening = Task { await open() } }
            if withOutbox, state.openingOutbox == nil { state.openingOutbox = Task { await openOutbox() } }
        }
    }

    private func open() async {
        let opener = ModuleOpener(logger: logger) { [readiness] error in
            if let error { readiness.failed(error) }
        }
        do {
            try await opener.open("database \(name)") { try await database.open() }
            readiness.opened()
        } catch {
            logger.debug("database closes before it was open")
        }
    }

    private func openOutbox() async {
        let opener = ModuleOpener(logger: logger) { [outboxReadiness] error in
            if let error { outboxReadiness.failed(error) }
        }
        do {
            try await readiness.wait()
            try await opener.open("the outbox of database \(name)") { try await outbox.open() }
            outboxReadiness.opened()
        } catch {
            logger.debug("outbox closes before it was open")
        }
    }

    /// Answers what was taken, then closes. Nothing may use the database any more.
    package func stop() async {
        let (opening, openingOutbox) = state.withLock { ($0.opening, $0.openingOutbox) }
        opening?.cancel()
        openingOutbox?.cancel()
        await opening?.value
        await openingOutbox?.value
        await outbox.close()
        outboxReadiness.closed()
        await database.close()
        readiness.closed()
    }
}
