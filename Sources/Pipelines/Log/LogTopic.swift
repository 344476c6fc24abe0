import Martlet

/// A topic of the log that modules publish to.
struct LogTopic: TopicPublisher {
    let name: TopicName
    let log: any EventLog

    func publish(_ events: [Event]) async throws {
        _ = try await log.append(events, to: name)
    }
}
