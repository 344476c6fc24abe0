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

    package func ends() throws -> [ReplayTopic] {
        try positions { $0.upperBound }
    }

    package func starts() throws -> [ReplayTopic] {
        try positions { $0.lowerBound }
    }

    private func positions(_ pick: (Range<Offset>) -> Offset) throws -> [ReplayTopic] {
        try topics.map { name in
            guard let topic = log.topic(name) else {
                throw ModuleError.transient("replay.topic_unknown", "the log does not know the topic \(name) yet")
            }
            let offsets = try (0..<PartitionID(topic.partitions)).map { partition in
                pick(try log.offsets(topic: name, partition: partition))
            }
            return ReplayTopic(topic: name, incarnation: topic.incarnation, offsets: offsets)
        }
    }

    package func partition(of key: Bytes, topic: TopicName) -> PartitionID? {
        log.topic(topic).map { KafkaPartitioner.partition(of: key, count: $0.partitions) }
    }

    package func read(
        topic: TopicName, partition: PartitionID, key: Bytes?, from offset: Offset, to end: Offset, limit: Int
    ) async throws -> ReplayPage {
        let available = try log.offsets(topic: topic, partition: partition)
        let gapUntil = offset < available.lowerBound ? available.lowerBound : nil
        let from = max(offset, available.lowerBound)
        guard from < min(end, available.upperBound) else {
            return ReplayPage(messages: [], next: max(from, end), gapUntil: gapUntil)
        }
        let records = try await log.read(topic: topic, partition: partition, from: from, maxBytes: Self.pageBytes)
        var matching: [Record] = []
        var next = from
        for record in records where record.offset < end {
            if matching.count == limit { break }
            next = record.offset + 1
            if key == nil || record.event.key == key { matching.append(record) }
        }
        var messages: [Message] = []
        for result in try await transforms.apply(to: matching) {
            // A record on which a transform fails was dead-lettered, so no stream has it.
            guard case .success(let outputs) = result else { continue }
            messages += outputs.enumerated().map { index, output in
                Message(record: output, previousOffset: nil, isLast: index + 1 == outputs.count)
            }
        }
        return ReplayPage(messages: messages, next: next, gapUntil: gapUntil)
    }
}
