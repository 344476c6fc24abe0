import EmbeddedLog
package import Martlet
import Synchronization

/// The log of another host behind the SDK's ``EventLog``: every call asks that host over HTTP (``LogWire``).
///
/// Life: ``open()`` never fails because the other host is away; a watch goes on asking for its topics. Nothing that decides
/// what a stream or a group has seen is answered from memory: ``positions(of:)`` and reads always ask. What the watch last
/// heard serves ``topic(_:)``, ``topics()`` and ``offsets(topic:partition:)``, which must be quick.
///
/// Errors: `log.remote_away`, `log.remote_failed`, `log.remote_malformed` are transient; `log.remote_unauthorized`,
/// `log.remote_not_found`, `log.remote_refused` are blocked; errors of the log itself come as they are there.
package final class RemoteEventLog: EventLog {
    private struct State {
        var topics: [TopicName: TopicPositions] = [:]
        /// What this host's config says: topic and number of partitions.
        var expected: [(name: TopicName, partitions: Int)] = []
        /// Whether `topics` has all that the log has.
        var hasAll = false
        var watch: Task<Void, Never>?
        var onReplaced: (@Sendable (TopicName) -> Void)?
        /// Reported once each.
        var warnings: Set<String> = []
    }

    private static let watchInterval = Duration.seconds(5)

    /// Where the log is.
    package let url: String
    package let maxEventBytes: Int
    private let client: RemoteLogClient
    private let appender: RemoteAppender
    private let logger: Logger
    private let health: ServerHealth
    private let state = Mutex(State())

    /// - Parameters:
    ///   - certificateFile: ``RemoteLogConfig/certificateFile`` as the process can open it.
    ///   - maxEventBytes: what this host offers at most; the log's host has to take as much.
    package init(
        config: RemoteLogConfig, certificateFile: String?, maxEventBytes: Int, metrics: MetricsRegistry, logger: Logger
    ) {
        url = config.url
        self.maxEventBytes = maxEventBytes
        let client = RemoteLogClient(config: config, certificateFile: certificateFile)
        self.client = client
        self.logger = logger.with("log", config.url)
        let health = ServerHealth.remoteLog(metrics: metrics, logger: self.logger)
        self.health = health
        appender = RemoteAppender(retryTime: config.requestTimeout) { body, count, topic in
            try await health.noting { try await client.append(body, count: count, to: topic) }
        } countPartitions: { topic in
            try await health.noting { try await client.topic(topic) }.offsets.count
        }
    }

    /// Why the log cannot be used now; nil if it answered last time.
    package var trouble: ModuleError? { health.trouble }
    /// Whether the log's host has answered since this host started.
    package var hasHeard: Bool { health.hasAnswered }

    /// The topics that this host's config names; they are made by the log's host, and compared with what it has.
    package func expect(_ topics: [(name: TopicName, partitions: Int)]) {
        state.withLock { state in
            state.expected = topics
            state.warnings = []
        }
        compare()
    }

    /// Calls back when the log has another incarnation of a topic than before: it was wiped or replaced.
    package func whenReplaced(_ callback: @escaping @Sendable (TopicName) -> Void) {
        state.withLock { $0.onReplaced = callback }
    }

    /// Topics of the config that the log does not have; empty before it has answered.
    package var missingTopics: [TopicName] {
        state.withLock { state in
            state.hasAll ? state.expected.map(\.name).filter { state.topics[$0] == nil } : []
        }
    }

    // MARK: Life

    package func open() async throws {
        try client.start()
        let watch = Task { [weak self] in
            var backoff = Backoff(initial: .milliseconds(250), maximum: .seconds(5))
            while !Task.isCancelled, let self {
                let wait = await self.look(&backoff)
                try? await Task.sleep(for: wait)
            }
        }
        state.withLock { $0.watch = watch }
    }

    package func close() async {
        let watch = state.withLock { $0.watch }
        watch?.cancel()
        await client.close()
        await watch?.value
    }

    /// Asks for all topics once. Returns how long to wait before the next time.
    private func look(_ backoff: inout Backoff) async -> Duration {
        do {
            remember(try await health.noting { try await client.topics() }, isAll: true)
            backoff.reset()
            return Self.watchInterval
        } catch {
            return backoff.next()
        }
    }

    private func remember(_ positions: [TopicPositions], isAll: Bool) {
        let (replaced, callback) = state.withLock { state in
            let replaced = positions.filter { position in
                state.topics[position.topic.name].map { $0.topic.incarnation != position.topic.incarnation } ?? false
            }.map(\.topic.name)
            if isAll {
                state.topics = [:]
                state.hasAll = true
            }
            for position in positions { state.topics[position.topic.name] = position }
            return (replaced, state.onReplaced)
        }
        if isAll { compare() }
        for topic in replaced {
            logger.error("topic \(topic) of the log is another one than before: the log was wiped or replaced")
            callback?(topic)
        }
    }

    /// Says once how the log's topics differ from the config's.
    private func compare() {
        let warnings = state.withLock { state in state.hasAll ? Self.warnings(&state) : [] }
        for warning in warnings { logger.warning("\(warning)") }
    }

    private static func warnings(_ state: inout State) -> [String] {
        state.expected.compactMap { expected in
            let text: String
            if let found = state.topics[expected.name] {
                if found.offsets.count == expected.partitions { return nil }
                text =
                    "topic \(expected.name) has \(expected.partitions) partitions in this host's config and \(found.offsets.count) on the "
                    + "log's host, which decides; make the configs agree"
            } else {
                text = "the log's host has no topic \(expected.name): add it to `topics` of that host's config"
            }
            return state.warnings.insert(text).inserted ? text : nil
        }
    }

    // MARK: Topics

    /// Topics are made on the log's host; here it is only looked for.
    package func ensureTopic(_ name: TopicName, _ settings: TopicSettings) async throws -> TopicInfo {
        try await positions(of: name).topic
    }

    package func topic(_ name: TopicName) -> TopicInfo? {
        state.withLock { $0.topics[name]?.topic }
    }

    package func topics() -> [TopicInfo] {
        state.withLock { $0.topics.values.map(\.topic) }.sorted { $0.name.text < $1.name.text }
    }

    package func positions(of name: TopicName) async throws -> TopicPositions {
        let positions = try await health.noting { try await client.topic(name) }
        remember([positions], isAll: false)
        return positions
    }

    package func offsets(topic: TopicName, partition: PartitionID) throws -> Range<Offset> {
        guard let known = state.withLock({ $0.topics[topic] }), known.offsets.indices.contains(Int(partition)) else {
            throw trouble ?? .transient("log.unknown_topic", "the log's host, \(url), has not told of \(topic)/\(partition) yet")
        }
        return known.offsets[Int(partition)]
    }

    // MARK: Records

    package func append(
        _ events: [Event], to topic: TopicName, mark: Martlet.ProducerMark?,
        completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) {
        appender.append(events, to: topic, mark: mark, completion: completion)
    }

    package func read(topic: TopicName, partition: PartitionID, from offset: Offset, maxBytes: Int) async throws -> [Record] {
        let (chunk, incarnation) = try await health.noting {
            try await client.read(topic, partition, from: offset, maxBytes: maxBytes)
        }
        if let known = self.topic(topic), known.incarnation != incarnation {
            _ = try await positions(of: topic)
        }
        do throws(LogError) {
            return try RecordDecoder.records(in: chunk, topic: topic, partition: partition)
        } catch {
            throw RemoteLogFailure.malformed(url, error.description)
        }
    }

    package func read(
        topic: TopicName, partition: PartitionID, keys: [Bytes], from offset: Offset, to end: Offset, limit: Int
    ) async throws -> KeyedRecords {
        try await health.noting { try await client.read(topic, partition, keys: keys, from: offset, to: end, limit: limit) }
    }

    package func waitForRecord(topic: TopicName, partition: PartitionID, at offset: Offset) async throws {
        while try await !health.noting({ try await client.wait(topic, partition, at: offset) }) { try Task.checkCancellation() }
    }

    package func offset(topic: TopicName, partition: PartitionID, at timestamp: Int64) async throws -> Offset {
        try await health.noting { try await client.offset(topic, partition, at: timestamp) }
    }

    // MARK: Groups

    package func committedOffset(group: GroupName, topic: TopicName, partition: PartitionID) async throws -> Offset? {
        try await health.noting { try await client.committedOffset(group, topic, partition) }
    }

    package func commit(group: GroupName, topic: TopicName, partition: PartitionID, offset: Offset) async throws {
        try await health.noting { try await client.commit(group, topic, partition, offset) }
    }

    package func committedGroups() async throws -> [GroupName] {
        try await health.noting { try await client.groups() }
    }
}
