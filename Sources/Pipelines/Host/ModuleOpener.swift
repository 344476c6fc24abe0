import Martlet

/// Opens modules, trying again with backoff for as long as it fails: a dependency that is down is no config error.
struct ModuleOpener: Sendable {
    let logger: Logger
    /// Told of each failure, and nil once open.
    var report: @Sendable (ModuleError?) -> Void = { _ in }

    /// Returns when `body` has succeeded; throws only if the task is cancelled.
    func open(_ what: String, _ body: () async throws -> Void) async throws {
        var backoff = Backoff()
        var attempts = 0
        while true {
            try Task.checkCancellation()
            do {
                try await body()
                report(nil)
                if attempts > 0 { logger.info("\(what) is open after \(attempts) failed attempts") }
                return
            } catch {
                attempts += 1
                let failure = error as? ModuleError ?? .transient("module.open_failed", "\(error)")
                report(failure)
                if attempts & (attempts - 1) == 0 {
                    logger.warning("cannot open \(what): \(failure.message); trying again", ("code", failure.code))
                }
                try await Task.sleep(for: backoff.next(atLeast: failure.retryAfter))
            }
        }
    }
}
