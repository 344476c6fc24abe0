import KafkaPlugin
import Martlet

/// A log whose topic `t` is another one for each store, since the broker has one set of topics; and whose groups are.
final class TopicsOfAStore: EventLog {
    private let store: Int
    private let log: KafkaLog

    init(_ store: Int, _ log: KafkaLog) {
        self.store = store
        self.log = log
    }

    private func inside(_ topic: TopicName) -> TopicName { TopicName("\(topic)-\(store)") }
    private func inside(_ group: GroupName) -> GroupName { GroupName("\(group)-\(store)") }
    private func outside(_ info: TopicInfo) -> TopicInfo {
        TopicInfo(name: TopicName(String(info.name.text.prefix { $0 != "-" })), partitions: info.partitions, incarnation: info.incarnation)
    }

    var maxEventBytes: Int { log.maxEventBytes }
    func open() async throws { try await log.open() }
    func close() async { await log.close() }

    func ensureTopic(_ name: TopicName, _ settings: TopicSettings) async throws -> TopicInfo {
        outside(try await log.ensureTopic(inside(name), settings))
    }

    func topic(_ name: TopicName) -> TopicInfo? { log.topic(inside(name)).map(outside) }
    func topics() -> [TopicInfo] { log.topics().map(outside) }

    func append(
        _ events: [Event], to topic: TopicName, mark: ProducerMark?,
        completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) {
        log.append(events, to: inside(topic), mark: mark, completion: completion)
    }

    func read(topic: TopicName, partition: PartitionID, from offset: Offset, maxBytes: Int) async throws -> [Record] {
        try await log.read(topic: inside(topic), partition: partition, from: offset, maxBytes: maxBytes).map { record in
            var record = record
            record.topic = topic
            return record
        }
    }

    func waitForRecord(topic: TopicName, partition: PartitionID, at offset: Offset) async throws {
        try await log.waitForRecord(topic: inside(topic), partition: partition, at: offset)
    }

    func offsets(topic: TopicName, partition: PartitionID) throws -> Range<Offset> {
        try log.offsets(topic: inside(topic), partition: partition)
    }

    func offset(topic: TopicName, partition: PartitionID, at timestamp: Int64) async throws -> Offset {
        try await log.offset(topic: inside(topic), partition: partition, at: timestamp)
    }

    func committedOffset(group: GroupName, topic: TopicName, partition: PartitionID) async throws -> Offset? {
        try await log.committedOffset(group: inside(group), topic: inside(topic), partition: partition)
    }

    func commit(group: GroupName, topic: TopicName, partition: PartitionID, offset: Offset) async throws {
        try await log.commit(group: inside(group), topic: inside(topic), partition: partition, offset: offset)
    }

    func committedGroups() async throws -> [GroupName] {
        try await log.committedGroups().filter { $0.text.hasSuffix("-\(store)") }.map { GroupName(String($0.text.prefix { $0 != "-" })) }
    }
}
