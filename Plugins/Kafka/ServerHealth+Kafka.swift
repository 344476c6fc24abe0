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
            whenNews: mustLook.signal)
    }
}
