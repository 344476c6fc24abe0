import Martlet
import Synchronization

/// Whether the brokers answer, from what became of everything that was asked of them. Says so once a change.
final class KafkaHealth: Sendable {
    private struct State {
        var hasAnswered = false
        var trouble: ModuleError?
    }

    /// Signalled when trouble begins, or may have, for the watch, which looks first.
    let mustLook = KafkaSignal()
    private let isUp: Gauge
    private let logger: Logger
    private let state = Mutex(State())

    init(metrics: MetricsRegistry, logger: Logger) {
        isUp = metrics.gauge("martlet_kafka_up", "1 while the Kafka brokers answer.")
        self.logger = logger
    }

    var trouble: ModuleError? { state.withLock { $0.trouble } }
    var hasAnswered: Bool { state.withLock { $0.hasAnswered } }

    /// Runs what asks the brokers, and notes what became of it.
    func noting<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            let value = try await body()
            answered()
            return value
        } catch let error as ModuleError {
            if KafkaFailure.isTrouble(error), !Task.isCancelled { failed(error) }
            throw error
        }
    }

    func answered() {
        let isNews = state.withLock { state in
            if state.trouble == nil, state.hasAnswered { return false }
            state.hasAnswered = true
            state.trouble = nil
            return true
        }
        guard isNews else { return }
        isUp.set(1)
        logger.info("the Kafka brokers answer")
    }

    /// A refused login explains what follows it until the brokers answer; all else is one and the same trouble.
    func failed(_ error: ModuleError) {
        let isNews = state.withLock { state in
            let isLogin = error.kind == .blocked
            if let old = state.trouble, old.kind == .blocked || !isLogin {
                if old.kind != .blocked { state.trouble = error }
                return false
            }
            state.trouble = error
            return true
        }
        isUp.set(0)
        guard isNews else { return }
        mustLook.signal()
        logger.warning("\(error.message); trying again", ("code", error.code))
    }
}
