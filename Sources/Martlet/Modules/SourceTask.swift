import Synchronization

/// The task in which a source brings its inputs in, from `open` to `close`.
package final class SourceTask: Sendable {
    private let task = Mutex<Task<Void, Never>?>(nil)

    package init() {}

    /// Starts the work: it ends when it is cancelled. What it throws besides is logged, and it is started again after a wait.
    package func start(logger: Logger, _ work: @escaping @Sendable () async throws -> Void) {
        let started = Task {
            var backoff = Backoff()
            while !Task.isCancelled {
                let started = ContinuousClock.now
                do {
                    try await work()
                    return
                } catch {
                    if Task.isCancelled { return }
                    if .now - started > .seconds(60) { backoff.reset() }
                    let failure = error as? ModuleError ?? .transient("source.failed", "\(error)")
                    let wait = backoff.next(atLeast: failure.retryAfter)
                    logger.warning("\(failure.message); trying again in \(wait)", ("code", failure.code))
                    try? await Task.sleep(for: wait)
                }
            }
        }
        task.withLock { $0 = started }
    }

    /// Cancels the work and returns when it has ended.
    package func stop() async {
        let running = task.withLock { task in
            defer { task = nil }
            return task
        }
        running?.cancel()
        await running?.value
    }
}
