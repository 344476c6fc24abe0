import Martlet

extension KafkaHealth {
    /// Runs what asks one of many brokers. That it is silent, or away, is no outage yet: the watch asks whether any answers.
    func asking<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            let value = try await body()
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
        if error.kind == .blocked { failed(error) } else { mustLook.signal() }
    }
}
