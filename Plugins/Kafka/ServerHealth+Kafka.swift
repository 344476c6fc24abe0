import Martlet

extension ServerHealth {
    /// Whether the brokers answer. A refused login explains what follows it until they do; all else is one and the same trouble.
    ///
    /// - Parameter mustLook: signalled when trouble begins, or may have, for the watch, which looks first.
    static func kafka(_ context: ModuleContext, _ mustLook: KafkaSignal) -> ServerHealth {
        ServerHealth(
            "the Kafka brokers answer", gauge: "martlet_kafka_up", metrics: context.metrics, logger: context.logger,
            isTrouble: KafkaFailure.isTrouble,
            change: { old, new in old.kind == .blocked ? .none : new.kind == .blocked ? .news : .replaced },
            look: mustLook.signal)
    }

    /// Runs what asks one of many brokers. That it is silent, or away, is no outage yet: the watch asks whether any answers.
    func asking<Value>(_ request: () async throws -> Value) async throws -> Value {
        do {
            let value = try await request()
            answered()
            return value
        } catch let error as ModuleError {
            if !Task.isCancelled { doubt(error) }
            throw error
        }
    }

    /// Something that concerns one broker, or a partition, failed.
    func doubt(_ error: ModuleError) {
        guard KafkaFailure.isTrouble(error) else { return }
        if error.kind == .blocked { failed(error) } else { look() }
    }
}
