package import Martlet

/// Rereads a group's messages from the log, its transforms applied again.
package struct GroupReplay: MessageReplay {
    /// About how much of the log one page looks at, so that a rare key does not hold a reader up for long.
    private static let pageBytes = 1 << 20

    private let topics: [TopicName]
    private let transforms: TransformChain
    private let log: any EventLog

    package init(topics: [TopicName], transforms: TransformChain, log: any EventLog) {
        self.topics = topics
        self.transforms = transforms
        self.log = log
    }

    package func ends() async throws -> [ReplayTopic] {
        try await positions { $0.upperBound }
    }

    package func starts() async throws -> [ReplayTopic] {
        try await positions { $0.lowerBound }
    }

    private func positions(_ pick: (Range<Offset>) -> Offset) async throws -> [ReplayTopic] {
        var found: [ReplayTopic] = []
        for name in topics {
            let positions = try await log.positions(of: name)
            found.append(
                ReplayTopic(topic: name, incarnation: positions.topic.incarnation, offsets: positions.offsets.map(pick)))
        }
        return found
    }

    package func partition(of key: Bytes, topic: TopicName) -> PartitionID? {
        log.topic(topic).map { KafkaPartitioner.partition(of: key, count: $0.partitions) }
    }

    package func read(
        topic: TopicName, partition: PartitionID, keys: [Bytes]?, from offset: Offset, to end: Offset, limit: Int
    ) async throws -> ReplayPage {
        guard offset < end else { return ReplayPage(messages: [], next: offset, gapUntil: nil) }
        let (found, from) = try await records(topic: topic, partition: partition, keys: keys, from: offset, to: end, limit: limit)
        // Nothing there: the log ends here, and what `end` was taken from is gone.
        let next = found.next == from ? max(from, end) : found.next
        var messages: [Message] = []
        for result in try await transforms.apply(to: found.records) {
            // A record on which a transform fails was dead-lettered, so no stream has it.
            guard case .success(let outputs) = result else { continue }
            messages += outputs.enumerated().map { index, output in
                Message(record: output, previousOffset: nil, isLast: index + 1 == outputs.count)
            }
        }
        return ReplayPage(messages: messages, next: next, gapUntil: from > offset ? from : nil)
    }

    /// A page of the log from `offset` on, or from the first offset kept, and where it begins.
    private func records(
        topic: TopicName, partition: PartitionID, keys: [Bytes]?, from offset: Offset, to end: Offset, limit: Int
    ) async throws -> (found: KeyedRecords, from: Offset) {
        func read(from place: Offset) async throws -> KeyedRecords {
            guard place < end else { return KeyedRecords(records: [], next: place) }
            if let keys {
                return try await log.read(topic: topic, partition: partition, keys: keys, from: place, to: end, limit: limit)
            }
            let page = try await log.read(topic: topic, partition: partition, from: place, maxBytes: Self.pageBytes)
            let inside = page.prefix(limit).prefix { $0.offset < end }
            let isWhole = inside.count == page.count
            return KeyedRecords(records: Array(inside), next: isWhole || inside.count == limit ? inside.last.map { $0.offset + 1 } ?? place : end)
        }
        do {
            return (try await read(from: offset), offset)
        } catch let error as OffsetOutOfRange {
            let first = error.available.lowerBound
            guard offset < first else { return (KeyedRecords(records: [], next: offset), offset) }
            return (try await read(from: first), first)
        }
    }
}
