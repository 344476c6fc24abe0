package import Martlet

extension EventLog {
    /// Appends and waits for the log's acknowledgement.
    package func append(_ events: [Event], to topic: TopicName, mark: Martlet.ProducerMark? = nil) async throws -> [RecordPlace] {
        try await withCheckedThrowingContinuation { continuation in
            append(events, to: topic, mark: mark) { result in
                continuation.resume(with: result)
            }
        }
    }
}
