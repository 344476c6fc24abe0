package import Martlet
import Synchronization

/// Keeps the config's topics in a log that many hosts share: makes them in the background, trying again for as long as it
/// fails, and lets groups wait for theirs.
///
/// Once a topic is made it counts as being there: when the log is away later, whoever uses it waits by itself.
package final class SharedLogRunner: Sendable {
    /// A topic of the config that the log does not have yet, as far as this host knows.
    package struct UnmadeTopic: Sendable {
        package let name: TopicName
        /// Why it could not be made or changed the last time; nil before the first attempt.
        package let error: ModuleError?
    }

    private struct Topic {
        let name: TopicName
        var settings: TopicSettings
        var isMade = false
        var error: ModuleError?
        /// Stays ready when the settings change.
        let readiness: Readiness
    }

    private struct State {
        /// In the order of the config.
        var topics: [Topic] = []
        var making: Task<Void, Never>?
    }

    /// The `type` in the config.
    package let type: String
    package let log: any SharedLog
    private let logger: Logger
    private let state = Mutex(State())

    package init(log: any SharedLog, logger: Logger) {
        type = Swift.type(of: log).name
        self.log = log
        self.logger = logger.with("log", type)
    }

    /// Topics that are not as the config has them.
    package var unmadeTopics: [UnmadeTopic] {
        state.withLock { state in
            state.topics.filter { !$0.isMade }.map { UnmadeTopic(name: $0.name, error: $0.error) }
        }
    }

    /// Tries what a new config changes, once. What cannot be done now is left to ``expect(_:)``.
    ///
    /// - Throws: what the log will not do, such as a topic with fewer partitions than it has.
    package func check(_ topics: [(name: TopicName, settings: TopicSettings)]) async throws {
        let made = state.withLock { state in state.topics.filter(\.isMade) }
        for topic in log.refusedFirst(topics)
        where !made.contains(where: { $0.name == topic.name && $0.settings == topic.settings }) {
            guard log.trouble == nil else { return }
            do {
                _ = try await log.ensureTopic(topic.name, topic.settings)
            } catch let error as ModuleError where error.kind == .transient {
                continue
            }
        }
    }

    /// Begins to make the topics of a config, and to change those that are otherwise. Returns at once.
    package func expect(_ topics: [(name: TopicName, settings: TopicSettings)]) {
        state.withLock { state in
            let known = state.topics
            state.topics = topics.map { name, settings in
                guard var topic = known.first(where: { $0.name == name }) else {
                    return Topic(name: name, settings: settings, readiness: Readiness())
                }
                if topic.settings != settings {
                    topic.settings = settings
                    topic.isMade = false
                    topic.error = nil
                }
                return topic
            }
            let previous = state.making
            previous?.cancel()
            state.making = Task { [weak self] in
                await previous?.value
                await self?.makeTopics()
            }
        }
    }

    /// Returns when the topics are there; throws if the host stops or the task is cancelled.
    func wait(for topics: [TopicName]) async throws {
        for name in topics {
            let readiness = state.withLock { state in state.topics.first { $0.name == name }?.readiness }
            try await readiness?.wait()
        }
    }

    /// Gives up making topics, and closes the log.
    func close() async {
        let making = state.withLock { $0.making }
        making?.cancel()
        await making?.value
        for topic in state.withLock({ $0.topics }) { topic.readiness.closed() }
        await log.close()
    }

    // MARK: Making

    private func makeTopics() async {
        var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(5))
        while !Task.isCancelled {
            for topic in state.withLock({ state in state.topics.filter { !$0.isMade } }) {
                if Task.isCancelled { return }
                await make(topic)
                // The others would fail in the same way, each after the same wait.
                if log.trouble != nil { break }
            }
            let unmade = unmadeTopics
            if unmade.isEmpty { return }
            let pause = unmade.compactMap { $0.error?.retryAfter }.max()
            try? await Task.sleep(for: backoff.next(atLeast: pause))
        }
    }

    private func make(_ topic: Topic) async {
        do {
            _ = try await log.ensureTopic(topic.name, topic.settings)
            note(topic, nil)
            topic.readiness.opened()
        } catch {
            if Task.isCancelled { return }
            note(topic, error as? ModuleError ?? .transient("log.failed", "\(error)"))
        }
    }

    private func note(_ topic: Topic, _ error: ModuleError?) {
        let previous: ModuleError? = state.withLock { state in
            // The config may have changed meanwhile.
            guard let index = state.topics.firstIndex(where: { $0.name == topic.name && $0.settings == topic.settings }) else { return error }
            defer {
                state.topics[index].error = error
                state.topics[index].isMade = error == nil
            }
            return state.topics[index].error
        }
        if let error, previous?.code != error.code {
            let text = "cannot make topic \(topic.name): \(error.message); trying again"
            if error.kind == .transient { logger.warning(text, ("code", error.code)) } else { logger.error(text, ("code", error.code)) }
        } else if error == nil, previous != nil {
            logger.info("topic \(topic.name) is there")
        }
    }
}
