import CRdKafka
public import Martlet
import Synchronization

/// The log in a Kafka cluster, through librdkafka: many hosts share it, each a member of the groups that it runs.
///
/// 1. decode: ``KafkaConfig``.
/// 2. validate: the brokers' addresses, and that the password is no plain text.
/// 3. open: makes the clients. It fails for a certificate that cannot be read, not because the brokers are away.
/// 4. work: appends through an idempotent producer, reads through cursors that fetch ahead, divides groups' partitions among
///    the hosts as Kafka does.
/// 5. close: leaves the groups, waits some seconds for acknowledgements, fails what is left.
///
/// An event's id is kept as the record header ``Event/idHeader``, before the event's own headers, as the other engines do.
///
/// What it does not promise: producer marks are not looked at, so a row of the outbox whose acknowledgement was lost comes
/// again; nor is a topic's window of event ids. A topic that was deleted and made anew has the same incarnation: librdkafka
/// does not show Kafka's topic ids.
public final class KafkaLog: SharedLog {
    public typealias Config = KafkaConfig

    public static let name = "kafka"
    public static let summary = "The log in a Kafka cluster, which many hosts share."

    private struct State {
        var connection: KafkaConnection?
        var members: [GroupName: KafkaMember] = [:]
    }

    /// What `read(…keys:)` looks at in one piece.
    private static let scanBytes = 1 << 20
    /// How long a close waits for librdkafka's threads to end.
    private static let patience = Duration.seconds(3)

    private let settings: KafkaSettings
    private let health: ServerHealth
    private let mustLook = KafkaSignal()
    private let logger: Logger
    private let state = Mutex(State())

    public init?(config: Config, context: ModuleContext) {
        guard let settings = KafkaSettings(config, context) else { return nil }
        self.settings = settings
        logger = context.logger
        health = .kafka(context, mustLook)
    }

    public var maxEventBytes: Int { settings.maxEventBytes }
    public var trouble: ModuleError? { health.trouble }
    public var hasAnswered: Bool { health.hasAnswered }

    private func connection() throws(ModuleError) -> KafkaConnection {
        guard let connection = state.withLock({ $0.connection }) else { throw KafkaFailure.closed }
        return connection
    }

    // MARK: Life

    public func open() async throws {
        let connection = try KafkaConnection(settings, health, mustLook, logger)
        state.withLock { $0.connection = connection }
        connection.startWatch()
    }

    public func close() async {
        guard let threads = await closeConnection() else { return }
        // Nobody holds the clients now.
        await threads.waitForClients(until: .now + Self.patience)
    }

    private func closeConnection() async -> KafkaThreads? {
        let (connection, members) = state.withLock { state in
            defer { state.connection = nil }
            return (state.connection, Array(state.members.values))
        }
        await withDiscardingTaskGroup { group in
            for member in members { group.addTask { await member.leave() } }
        }
        state.withLock { $0.members = [:] }
        await connection?.close()
        return connection?.threads
    }

    // MARK: Topics

    public func ensureTopic(_ name: TopicName, _ settings: TopicSettings) async throws -> TopicInfo {
        try await connection().ensureTopic(name, settings)
    }

    public func topic(_ name: TopicName) -> TopicInfo? {
        state.withLock { $0.connection }?.topics[name]?.info
    }

    /// Those that this host was asked to make or has asked for: the cluster may have many others.
    public func topics() -> [TopicInfo] {
        let topics = state.withLock { $0.connection }?.topics.all.map(\.info) ?? []
        return topics.filter { !$0.name.text.hasPrefix("__") }.sorted { $0.name.text < $1.name.text }
    }

    public func positions(of name: TopicName) async throws -> TopicPositions {
        try await connection().positions(of: name)
    }

    public func offsets(topic: TopicName, partition: PartitionID) throws -> Range<Offset> {
        try connection().topics.partition(topic, partition).offsets
    }

    public func offset(topic: TopicName, partition: PartitionID, at timestamp: Int64) async throws -> Offset {
        let connection = try connection()
        let known = try connection.topics.partition(topic, partition)
        return try await connection.ask { admin in
            // Times below 0 mean something else to the brokers.
            let found = try admin.offsets(of: [(topic, partition)], at: max(0, timestamp))[0]
            return found >= 0 ? found : known.heard(try admin.ranges([(topic, partition)])[0]).upperBound
        }
    }

    // MARK: Records

    /// Producer marks are not looked at: what is appended again is kept again.
    public func append(
        _ events: [Event], to topic: TopicName, mark: ProducerMark?,
        completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) {
        do throws(ModuleError) {
            let connection = try connection()
            if let known = connection.topics[topic] {
                connection.producer.append(events, to: known, completion: completion)
            } else {
                Task { await connection.append(events, toOthers: topic, completion: completion) }
            }
        } catch {
            completion(.failure(error))
        }
    }

    public func read(topic: TopicName, partition: PartitionID, from offset: Offset, maxBytes: Int) async throws -> [Record] {
        let connection = try connection()
        return try await connection.reader.read(connection.topics.partition(topic, partition), from: offset, maxBytes: maxBytes).records
    }

    /// Looks at all records: Kafka has no index by key.
    public func read(
        topic: TopicName, partition: PartitionID, keys: [Bytes], from offset: Offset, to end: Offset, limit: Int
    ) async throws -> KeyedRecords {
        let connection = try connection()
        let known = try connection.topics.partition(topic, partition)
        let page = try await connection.reader.read(known, from: offset, maxBytes: Self.scanBytes)
        let keys = Set(keys)
        var found: [Record] = []
        for record in page.records {
            if record.offset >= end { return KeyedRecords(records: found, next: max(offset, end)) }
            guard let key = record.event.key, keys.contains(key) else { continue }
            if found.count == limit { return KeyedRecords(records: found, next: record.offset) }
            found.append(record)
        }
        return KeyedRecords(records: found, next: max(offset, min(page.next, end)))
    }

    public func waitForRecord(topic: TopicName, partition: PartitionID, at offset: Offset) async throws {
        let connection = try connection()
        try await connection.reader.wait(connection.topics.partition(topic, partition), at: offset)
    }

    // MARK: Groups

    public func committedOffset(group: GroupName, topic: TopicName, partition: PartitionID) async throws -> Offset? {
        try await connection().ask { admin in try admin.committedOffset(group, topic, partition) }
    }

    public func commit(group: GroupName, topic: TopicName, partition: PartitionID, offset: Offset) async throws {
        let (connection, member) = state.withLock { ($0.connection, $0.members[group]) }
        guard let member else {
            guard let connection else { throw KafkaFailure.closed }
            return try await connection.ask { admin in try admin.commit(group, topic, partition, offset) }
        }
        try await health.asking { try await member.commit(topic, partition, offset) }
    }

    /// All groups of consumers in the cluster, others' too.
    public func committedGroups() async throws -> [GroupName] {
        try await connection().ask { admin in try admin.groups() }
    }

    public func join(_ group: GroupName, topics: [TopicName], as member: any GroupMember) throws(ModuleError) -> any GroupMembership {
        let connection = try connection()
        guard state.withLock({ $0.members[group] }) == nil else {
            throw .transient("log.already_joined", "this host is a member of the group \(group) already; it has to leave first")
        }
        let made = try connection.join(group, topics: topics, as: member)
        state.withLock { $0.members[group] = made }
        return KafkaMembership(made) { [weak self] in
            self?.state.withLock { state in
                if state.members[group] === made { state.members[group] = nil }
            }
        }
    }
}
