import Synchronization

/// Whether a server answers that many calls depend on, from what became of everything that was asked of it. Says so once a change.
package final class ServerHealth: Sendable {
    /// What another trouble changes while there is one.
    package enum Change: Sendable {
        /// The old one still explains it.
        case none
        /// It is what is told from now on.
        case replaced
        /// As ``replaced``, and it is logged.
        case news
    }

    private struct State {
        var hasAnswered = false
        var trouble: ModuleError?
    }

    private let statement: String
    private let isUp: Gauge
    private let logger: Logger
    private let isTrouble: @Sendable (ModuleError) -> Bool
    private let change: @Sendable (_ old: ModuleError, _ new: ModuleError) -> Change
    /// Has the server looked at.
    package let look: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - statement: what holds while all is well: "the brokers answer".
    ///   - gauge: the name of a metric that is 1 as long, else 0.
    ///   - isTrouble: whether an error is about the server or the way to it; all others are about what was asked.
    ///   - change: compares another trouble with the one that is known.
    ///   - look: called when trouble begins or changes to another, before it is logged. It must not block.
    package init(
        _ statement: String, gauge: String, metrics: MetricsRegistry, logger: Logger,
        isTrouble: @escaping @Sendable (ModuleError) -> Bool,
        change: @escaping @Sendable (_ old: ModuleError, _ new: ModuleError) -> Change,
        look: @escaping @Sendable () -> Void = {}
    ) {
        self.statement = statement
        isUp = metrics.gauge(gauge, "1 while \(statement).")
        self.logger = logger
        self.isTrouble = isTrouble
        self.change = change
        self.look = look
    }

    /// Why the server cannot be used now; nil if it answered last time.
    package var trouble: ModuleError? { state.withLock { $0.trouble } }
    /// Whether there has been an answer since this host started.
    package var hasAnswered: Bool { state.withLock { $0.hasAnswered } }

    /// Runs what asks the server, and notes what became of it. Who gave up waiting has learned nothing.
    package func noting<Value>(_ request: () async throws -> Value) async throws -> Value {
        do {
            let value = try await request()
            answered()
            return value
        } catch let error as ModuleError {
            if isTrouble(error), !Task.isCancelled { failed(error) }
            throw error
        }
    }

    /// The server has answered.
    package func answered() {
        let isNews = state.withLock { state in
            guard state.trouble != nil || !state.hasAnswered else { return false }
            state = State(hasAnswered: true)
            return true
        }
        guard isNews else { return }
        isUp.set(1)
        logger.info("\(statement)")
    }

    /// The server, or the way to it, has failed.
    package func failed(_ error: ModuleError) {
        let isNews = state.withLock { state in
            let change = state.trouble.map { self.change($0, error) } ?? .news
            if change != .none { state.trouble = error }
            return change == .news
        }
        isUp.set(0)
        guard isNews else { return }
        look()
        logger.warning("\(error.message); trying again", ("code", error.code))
    }
}
