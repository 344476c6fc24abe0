import KafkaPlugin
import Martlet
import MartletTesting
import TestSupport

/// The real log over a mock cluster, for which it makes the topics, since that cannot be asked to.
final class KafkaOnMock: EventLog {
    let log: KafkaLog
    private let brokers: MockKafka

    init(_ brokers: MockKafka, _ fields: String = "", log: @escaping @Sendable (String) -> Void = { _ in }) throws {
        self.brokers = brokers
        self.log = try TestHost(log: log).make(
            KafkaLog.self, #"{"type": "kafka", "bootstrap_servers": \#(brokers.servers), "fetch_wait_ms": 10\#(fields)}"#)
    }

    var maxEventBytes: Int { log.maxEventBytes }
    func open() async throws { try await log.open() }
    func close() async { await log.close() }

    func ensureTopic(_ name: TopicName, _ settings: TopicSettings) async throws -> TopicInfo {
        brokers.make(name.text, partitions: settings.partitions)
        return try await log.ensureTopic(name, settings)
    }

    func topic(_ name: TopicName) -> TopicInfo? { log.topic(name) }
    func topics() -> [TopicInfo] { log.topics() }

    func append(
        _ events: [Event], to topic: TopicName, mark: ProducerMark?,
        completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) {
        log.append(events, to: topic, mark: mark, completion: completion)
    }

    func read(topic: TopicName, partition: PartitionID, from offset: Offset, maxBytes: Int) async throws -> [Record] {
        try await log.read(topic: topic, partition: partition, from: offset, maxBytes: maxBytes)
    }

    func waitForRecord(topic: TopicName, partition: PartitionID, at offset: Offset) async throws {
        try await log.waitForRecord(topic: topic, partition: partition, at: offset)
    }

    func offsets(topic: TopicName, partition: PartitionID) throws -> Range<Offset> {
        try log.offsets(topic: topic, partition: partition)
    }

    func offset(topic: TopicName, partition: PartitionID, at timestamp: Int64) async throws -> Offset {
        try await log.offset(topic: topic, partition: partition, at: timestamp)
    }

    func committedOffset(group: GroupName, topic: TopicName, partition: PartitionID) async throws -> Offset? {
        try await log.committedOffset(group: group, topic: topic, partition: partition)
    }

    func commit(group: GroupName, topic: TopicName, partition: PartitionID, offset: Offset) async throws {
        try await log.commit(group: group, topic: topic, partition: partition, offset: offset)
    }

    func committedGroups() async throws -> [GroupName] { try await log.committedGroups() }
}
