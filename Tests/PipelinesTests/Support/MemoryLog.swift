import Martlet
import Pipelines
import Synchronization

/// A log in memory that refuses appends when it is told to.
final class MemoryLog: EventLog {
    private struct State {
        var topics: [TopicName: (info: TopicInfo, partitions: [[Record]])] = [:]
        var committed: [String: Offset] = [:]
        /// Errors for the next appends, one each.
        var refusals: [ModuleError] = []
        /// The error for every append until it is nil.
        var standingRefusal: ModuleError?
        var commitRefusals = 0
        /// Larger events are refused for good.
        var eventLimit = Int.max
        /// Of an append with such an event it keeps the others, and it keeps again what it has.
        var keepsTheRest = false
        var lastRow: [String: Int64] = [:]
        /// Retention has removed what comes before it, in every partition.
        var start: Offset = 0
        var appendSizes: [Int] = []
    }

    let maxEventBytes: Int
    private let state = Mutex(State())

    init(_ topics: [TopicName: Int] = ["likes": 1], maxEventBytes: Int = 1 << 20) {
        self.maxEventBytes = maxEventBytes
        state.withLock { state in
            for (name, count) in topics {
                for name in [name, name.deadLetters] {
                    state.topics[name] = (
                        TopicInfo(name: name, partitions: count, incarnation: "i1"), Array(repeating: [], count: count)
                    )
                }
            }
        }
    }

    // MARK: What tests look at

    func records(of topic: TopicName) -> [Record] {
        state.withLock { $0.topics[topic]?.partitions.flatMap { $0 } ?? [] }
    }

    func refuseNext(_ errors: ModuleError...) {
        state.withLock { $0.refusals += errors }
    }

    func refuse(_ error: ModuleError?) {
        state.withLock { $0.standingRefusal = error }
    }

    func limitEvents(to bytes: Int) {
        state.withLock { $0.eventLimit = bytes }
    }

    /// As Kafka does, whose brokers take or refuse each batch of a partition by itself.
    func keepTheRestOfRefusedAppends() {
        state.withLock { $0.keepsTheRest = true }
    }

    func refuseNextCommits(_ count: Int) {
        state.withLock { $0.commitRefusals = count }
    }

    /// What retention does.
    func removeRecords(before offset: Offset) {
        state.withLock { $0.start = offset }
    }

    /// The bytes of each append that was taken.
    var appendSizes: [Int] { state.withLock { $0.appendSizes } }

    // MARK: EventLog

    func open() async throws {}
    func close() async {}

    func ensureTopic(_ name: TopicName, _ settings: TopicSettings) async throws -> TopicInfo {
        state.withLock { state in
            if let topic = state.topics[name] { return topic.info }
            let info = TopicInfo(name: name, partitions: settings.partitions, incarnation: "i1")
            state.topics[name] = (info, Array(repeating: [], count: settings.partitions))
            return info
        }
    }

    func topic(_ name: TopicName) -> TopicInfo? { state.withLock { $0.topics[name]?.info } }
    func topics() -> [TopicInfo] { state.withLock { $0.topics.values.map(\.info) } }

    func append(
        _ events: [Event], to topic: TopicName, mark: ProducerMark?,
        completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) {
        let result = state.withLock { state -> Result<[RecordPlace], ModuleError> in
            if !state.refusals.isEmpty { return .failure(state.refusals.removeFirst()) }
            if let error = state.standingRefusal { return .failure(error) }
            var refusal: ModuleError?
            if let large = events.first(where: { $0.byteCount > state.eventLimit }) {
                let error = ModuleError.permanent(
                    "log.record_too_large", "a record has \(large.byteCount) bytes, the limit is \(state.eventLimit)")
                guard state.keepsTheRest else { return .failure(error) }
                refusal = error
            }
            guard var found = state.topics[topic] else { return .failure(.blocked("log.unknown_topic", "no topic \(topic)")) }
            var places: [RecordPlace] = []
            for (index, event) in events.enumerated() where event.byteCount <= state.eventLimit {
                let partition = event.key.map { KafkaPartitioner.partition(of: $0, count: found.info.partitions) } ?? 0
                let offset = Offset(found.partitions[Int(partition)].count)
                places.append(RecordPlace(partition: partition, offset: offset))
                if let mark, !state.keepsTheRest {
                    let name = "\(mark.producerID)/\(topic)/\(partition)"
                    if mark.rows[index] <= state.lastRow[name] ?? 0 { continue }
                    state.lastRow[name] = mark.rows[index]
                }
                found.partitions[Int(partition)].append(
                    Record(topic: topic, partition: partition, offset: offset, event: event))
            }
            state.topics[topic] = found
            state.appendSizes.append(events.reduce(0) { $0 + $1.byteCount })
            return refusal.map { .failure($0) } ?? .success(places)
        }
        completion(result)
    }

    func read(topic: TopicName, partition: PartitionID, from offset: Offset, maxBytes: Int) async throws -> [Record] {
        try state.withLock { state in
            let records = state.topics[topic]?.partitions[Int(partition)] ?? []
            guard offset >= state.start else {
                throw OffsetOutOfRange(offset: offset, available: state.start..<Offset(records.count))
            }
            return Array(records.dropFirst(Int(offset)))
        }
    }

    func waitForRecord(topic: TopicName, partition: PartitionID, at offset: Offset) async throws {
        while true {
            try Task.checkCancellation()
            if state.withLock({ Offset($0.topics[topic]?.partitions[Int(partition)].count ?? 0) > offset }) { return }
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    func offsets(topic: TopicName, partition: PartitionID) throws -> Range<Offset> {
        state.withLock { $0.start..<max($0.start, Offset($0.topics[topic]?.partitions[Int(partition)].count ?? 0)) }
    }

    func offset(topic: TopicName, partition: PartitionID, at timestamp: Int64) async throws -> Offset { 0 }

    func committedOffset(group: GroupName, topic: TopicName, partition: PartitionID) async throws -> Offset? {
        state.withLock { $0.committed["\(group)/\(topic)/\(partition)"] }
    }

    func commit(group: GroupName, topic: TopicName, partition: PartitionID, offset: Offset) async throws {
        try state.withLock { state in
            if state.commitRefusals > 0 {
                state.commitRefusals -= 1
                throw ModuleError.transient("log.storage_full", "no room")
            }
            state.committed["\(group)/\(topic)/\(partition)"] = offset
        }
    }

    func committedGroups() async throws -> [GroupName] { [] }
}
