import Martlet
import Synchronization

/// Opens one part of the host in the background, trying again for as long as it fails, and knows whether it is open.
final class PartOpening: Sendable {
    let readiness = Readiness()

    private let logger: Logger
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(logger: Logger) {
        self.logger = logger
    }

    /// Starts once; further calls do nothing. Returns at once.
    /// - Parameter body: opens the part's modules through the opener, in their order.
    func start(_ body: @escaping @Sendable (ModuleOpener) async throws -> Void) {
        task.withLock { task in
            guard task == nil else { return }
            task = Task { [logger, readiness] in
                let opener = ModuleOpener(logger: logger) { error in
                    if let error { readiness.failed(error) }
                }
                do {
                    try await body(opener)
                    readiness.opened()
                } catch {
                    // The opener gives up only when it is cancelled.
                    logger.debug("closing before everything was open")
                }
            }
        }
    }

    /// Starts once to open a part that is one module.
    /// - Parameter what: names it in the log: `database main`.
    func start(_ what: String, _ open: @escaping @Sendable () async throws -> Void) {
        start { opener in try await opener.open(what, open) }
    }

    /// Gives up opening, closes what is open, and lets nobody wait any longer.
    func stop(_ close: () async -> Void) async {
        await cancel()
        await close()
        readiness.closed()
    }

    /// Gives up opening; returns when nothing is under way any more.
    func cancel() async {
        let running = task.withLock { $0 }
        running?.cancel()
        await running?.value
    }
}
