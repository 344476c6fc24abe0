public import Martlet
import Synchronization

/// A small log in memory that streams can be replayed from, with retention and transforms as a test wants them.
public final class MemoryReplay: MessageReplay {
    private struct Partition {
        var records: [Record] = []
        var start: Offset = 0

        var end: Offset { records.last.map { $0.offset + 1 } ?? start }
    }

    private struct State {
        var topics: [(name: TopicName, incarnation: String, partitions: [Partition])]
        var failure: ModuleError?
    }

    private let transform: @Sendable (Record) -> [Record]
    private let state: Mutex<State>

    /// - Parameter transform: what the group's transforms make of a record; nothing filters it.
    public init(
        _ topics: [(name: TopicName, partitions: Int)], incarnation: String = "1",
        transform: @escaping @Sendable (Record) -> [Record] = { [$0] }
    ) {
        self.transform = transform
        state = Mutex(
            State(
                topics: topics.map { ($0.name, incarnation, Array(repeating: Partition(), count: $0.partitions)) },
                failure: nil))
    }

    /// Appends an event and returns its record.
    @discardableResult
    public func append(_ event: Event, to topic: TopicName, partition: PartitionID) -> Record {
        state.withLock { state in
            let index = Self.index(of: topic, state)
            let offset = state.topics[index].partitions[Int(partition)].end
            let record = Record(topic: topic, partition: partition, offset: offset, event: event)
            state.topics[index].partitions[Int(partition)].records.append(record)
            return record
        }
    }

    /// Adds an empty partition to the topic.
    public func addPartition(to topic: TopicName) {
        state.withLock { $0.topics[Self.index(of: topic, $0)].partitions.append(Partition()) }
    }

    /// Retention removes the records before an offset.
    public func remove(before offset: Offset, topic: TopicName, partition: PartitionID) {
        state.withLock { state in
            let index = Self.index(of: topic, state)
            state.topics[index].partitions[Int(partition)].records.removeAll { $0.offset < offset }
            state.topics[index].partitions[Int(partition)].start = offset
        }
    }

    /// Makes every call fail, until it is set to nil.
    public func fail(_ error: ModuleError?) {
        state.withLock { $0.failure = error }
    }

    /// What the group publishes of a record.
    public func outputs(of record: Record) -> [Record] {
        let outputs = transform(record)
        return outputs.enumerated().map { index, output in
            var output = output
            output.index = Int32(index)
            return output
        }
    }

    // MARK: MessageReplay

    public func ends() throws -> [ReplayTopic] {
        try positions { $0.end }
    }

    public func starts() throws -> [ReplayTopic] {
        try positions { $0.start }
    }

    private func positions(_ pick: (Partition) -> Offset) throws -> [ReplayTopic] {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.topics.map { topic in
                ReplayTopic(topic: topic.name, incarnation: topic.incarnation, offsets: topic.partitions.map(pick))
            }
        }
    }

    /// Spreads keys by a sum of their bytes, not by Kafka's partitioner.
    public func partition(of key: Bytes, topic: TopicName) -> PartitionID? {
        let sum = key.withUnsafeBytes { $0.reduce(0) { $0 + Int($1) } }
        return state.withLock { state in
            state.topics.first { $0.name == topic }.map { PartitionID(sum % $0.partitions.count) }
        }
    }

    public func read(
        topic: TopicName, partition: PartitionID, keys: [Bytes]?, from offset: Offset, to end: Offset, limit: Int
    ) async throws -> ReplayPage {
        try page(topic: topic, partition: partition, keys: keys, from: offset, to: end, limit: limit)
    }

    /// ``read(topic:partition:keys:from:to:limit:)`` for tests that do without tasks.
    public func page(
        topic: TopicName, partition: PartitionID, keys: [Bytes]?, from offset: Offset, to end: Offset, limit: Int
    ) throws -> ReplayPage {
        let (source, failure) = state.withLock { state in
            (state.topics[Self.index(of: topic, state)].partitions[Int(partition)], state.failure)
        }
        if let failure { throw failure }
        let from = max(offset, source.start)
        var next = from
        var messages: [Message] = []
        for record in source.records where record.offset >= from && record.offset < end {
            if messages.count >= limit { break }
            next = record.offset + 1
            if let keys, !keys.contains(where: { $0 == record.event.key }) { continue }
            let outputs = outputs(of: record)
            for (index, output) in outputs.enumerated() {
                messages.append(Message(record: output, previousOffset: nil, isLast: index + 1 == outputs.count))
            }
        }
        return ReplayPage(messages: messages, next: next, gapUntil: offset < source.start ? source.start : nil)
    }

    private static func index(of topic: TopicName, _ state: State) -> Int {
        guard let index = state.topics.firstIndex(where: { $0.name == topic }) else {
            preconditionFailure("the replay has no topic \(topic)")
        }
        return index
    }
}
