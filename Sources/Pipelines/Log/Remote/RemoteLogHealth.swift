import Martlet
import Synchronization

/// Whether the log's host answers, from what became of every request to it.
final class RemoteLogHealth: Sendable {
    private struct State {
        var hasHeard = false
        var trouble: ModuleError?
    }

    private let isUp: Gauge
    private let logger: Logger
    private let state = Mutex(State())

    init(metrics: MetricsRegistry, logger: Logger) {
        isUp = metrics.gauge("martlet_remote_log_up", "1 while the log's host answers.")
        self.logger = logger
    }

    /// Why the last request failed; nil if it did not.
    var trouble: ModuleError? { state.withLock { $0.trouble } }
    /// Whether there has been an answer since this host started.
    var hasHeard: Bool { state.withLock { $0.hasHeard } }

    /// Sends a request and notes what became of it. An error that is about the request, not about the host or the way to
    /// it, is an answer.
    func noting<Value>(_ request: () async throws -> Value) async throws -> Value {
        do {
            let value = try await request()
            answered()
            return value
        } catch let error as ModuleError where Self.isTrouble(error) {
            if !Task.isCancelled { failed(error) }
            throw error
        }
    }

    private static func isTrouble(_ error: ModuleError) -> Bool {
        error.code.hasPrefix("log.remote_") || error.code.hasPrefix("http.")
    }

    private func answered() {
        let isNews = state.withLock { state in
            defer {
                state.hasHeard = true
                state.trouble = nil
            }
            return state.trouble != nil || !state.hasHeard
        }
        guard isNews else { return }
        isUp.set(1)
        logger.info("the log's host answers")
    }

    private func failed(_ error: ModuleError) {
        isUp.set(0)
        let isNews = state.withLock { state in
            defer { state.trouble = error }
            return state.trouble?.code != error.code
        }
        if isNews { logger.warning("\(error.message); trying again", ("code", error.code)) }
    }
}
