package import Martlet

extension EventLog {
    /// Appends and waits for the log's acknowledgement. A task that is cancelled waits for it a few seconds at most; then it is
    /// open whether the log has the events.
    ///
    /// - Throws: the log's error, or `CancellationError`.
    package func append(_ events: [Event], to topic: TopicName, mark: Martlet.ProducerMark? = nil) async throws -> [RecordPlace] {
        let answer = AppendAnswer()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                answer.begin(continuation)
                append(events, to: topic, mark: mark) { result in answer.end(result.mapError { $0 }) }
            }
        } onCancel: {
            answer.cancelled()
        }
    }
}
