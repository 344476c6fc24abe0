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

    package func ends() -> [ReplayTopic] {
        positions { $0.upperBound }
    }

    package func starts() -> [ReplayTopic] {
        positions { $0.lowerBound }
    }

    private func positions(_ pick: (Range<Offset>) -> Offset) -> [ReplayTopic] {
        topics.compactMap { log.topic($0) }.map { topic in
            let offsets = (0..<PartitionID(topic.partitions)).map { partition in
                (try? log.offsets(topic: topic.name, partition: partition)).map(pick) ?? 0
            }
            return ReplayTopic(topic: topic.name, incarnation: topic.incarnation, offsets: offsets)
        }
    }

    package func partition(of key: Bytes, topic: TopicName) -> PartitionID? {
        log.topic(topic).map { KafkaPartitioner.partition(of: key, count: $0.partitions) }
    }

    package func read(
        topic: TopicName, partition: PartitionID, key: Bytes, from offset: Offset, to end: Offset, limit: Int
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
            if record.event.key == key { matching.append(record) }
        }
        var messages: [Message] = []
        for result in try await transforms.apply(to: matching) {
            // A record on which a transform fails was dead-lettered, so no stream has it.
            guard case .success(let outputs) = result else { continue }
            messages += outputs.map { Message(record: $0, previousOffset: nil) }
        }
        return ReplayPage(messages: messages, next: next, gapUntil: gapUntil)
    }
}
