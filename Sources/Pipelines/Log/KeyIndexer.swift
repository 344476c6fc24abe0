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
        mutating func failed(_ topic: TopicName, _ text: String, at now: ContinuousClock.Instant, firstPause: Duration) -> Bool {
            var trouble = troubles[topic] ?? Trouble(text: "", backoff: Backoff(initial: firstPause, maximum: longestPause), nextTry: now)
            let isNews = trouble.text != text
            trouble.nextTry = now + trouble.backoff.next()
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

    /// The longest pause after a failure.
    private static let longestPause = Duration.seconds(600)

    let indexes: KeyIndexes
    private let logger: Logger
    private let interval: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    /// - Parameters:
    ///   - interval: how often new sealed segments are looked for, and the first pause after a failure.
    ///   - now: the time by which pauses are counted.
    init(
        _ log: EmbeddedLog, directory: String, logger: Logger, interval: Duration = .seconds(5),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        indexes = KeyIndexes(of: log, in: directory)
        self.logger = logger
        self.interval = interval
        self.now = now
    }

    /// Single keys of the topic are read.
    func note(_ topic: TopicName) {
        state.withLock { state in
            guard state.topics.insert(topic).inserted, state.task == nil, !state.isClosed else { return }
            state.task = Task { [weak self, interval] in
                while !Task.isCancelled, let self {
                    await self.refresh()
                    try? await Task.sleep(for: interval)
                }
            }
        }
    }

    /// Makes what is missing for the topics whose pause is over. Returns them.
    @discardableResult
    func refresh() async -> [TopicName] {
        let topics = state.withLock { $0.topicsToTry(at: now()) }
        for topic in topics {
            do {
                let made = try await BlockingWork.run { [indexes] in
                    try indexes.refresh(topic.text) { [weak self] in self?.state.withLock { $0.isClosed } ?? true }
                }
                state.withLock { $0.troubles[topic] = nil }
                if made > 0 { logger.debug("key indexes made", ("topic", topic.text), ("segments", String(made))) }
            } catch {
                let text = "\(error)"
                guard state.withLock({ $0.failed(topic, text, at: now(), firstPause: interval) }) else { continue }
                logger.warning("key indexes of topic \(topic) cannot be made: \(text); streams that resume read the whole topic")
            }
        }
        return topics
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
