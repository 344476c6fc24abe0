import EmbeddedLog
import Martlet
import Synchronization

/// Keeps the key indexes of those topics up to date of which somebody reads single keys: a stream that resumes.
///
/// The first such reading begins it, so that a log that nobody reads so has no indexes. One runs at a time, on a thread
/// for blocking work.
final class KeyIndexer: Sendable {
    private struct State {
        var topics: Set<TopicName> = []
        var task: Task<Void, Never>?
        var isClosed = false
        var troubles: [TopicName: Trouble] = [:]

        func topicsToTry(at now: ContinuousClock.Instant) -> [TopicName] {
            topics.filter { topic in troubles[topic].map { $0.nextTry <= now } ?? true }
        }

        /// Returns whether there is something new to say.
        mutating func failed(_ topic: TopicName, _ text: String) -> Bool {
            var trouble = troubles[topic] ?? Trouble(text: "", backoff: Backoff(initial: interval, maximum: longestPause), nextTry: .now)
            let isNews = trouble.text != text
            trouble.nextTry = .now + trouble.backoff.next()
            trouble.text = text
            troubles[topic] = trouble
            return isNews
        }
    }

    /// The indexes of a topic cannot be made: a damaged segment is read again and again for it, so less and less often.
    private struct Trouble {
        /// As it was last said.
        var text: String
        var backoff: Backoff
        var nextTry: ContinuousClock.Instant
    }

    /// How often new sealed segments are looked for.
    private static let interval = Duration.seconds(5)
    /// The longest pause after a failure.
    private static let longestPause = Duration.seconds(600)

    let indexes: KeyIndexes
    private let logger: Logger
    private let state = Mutex(State())

    init(_ log: EmbeddedLog, directory: String, logger: Logger) {
        indexes = KeyIndexes(of: log, in: directory)
        self.logger = logger
    }

    /// Single keys of the topic are read.
    func note(_ topic: TopicName) {
        state.withLock { state in
            guard state.topics.insert(topic).inserted, state.task == nil, !state.isClosed else { return }
            state.task = Task { [weak self] in
                while !Task.isCancelled, let self {
                    await self.refresh()
                    try? await Task.sleep(for: Self.interval)
                }
            }
        }
    }

    private func refresh() async {
        for topic in state.withLock({ $0.topicsToTry(at: .now) }) {
            do {
                let made = try await BlockingWork.run { [indexes] in
                    try indexes.refresh(topic.text) { [weak self] in self?.state.withLock { $0.isClosed } ?? true }
                }
                state.withLock { $0.troubles[topic] = nil }
                if made > 0 { logger.debug("key indexes made", ("topic", topic.text), ("segments", String(made))) }
            } catch {
                let text = "\(error)"
                guard state.withLock({ $0.failed(topic, text) }) else { continue }
                logger.warning("key indexes of topic \(topic) cannot be made: \(text); streams that resume read the whole topic")
            }
        }
    }

    func close() async {
        let task = state.withLock { state in
            state.isClosed = true
            return state.task
        }
        task?.cancel()
        await task?.value
    }
}
