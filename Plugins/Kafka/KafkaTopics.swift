import Martlet
import Synchronization

/// The topics that this host uses.
final class KafkaTopics: Sendable {
    private let state = Mutex<[TopicName: KafkaTopic]>([:])

    subscript(name: TopicName) -> KafkaTopic? { state.withLock { $0[name] } }

    var all: [KafkaTopic] { state.withLock { Array($0.values) } }

    /// Takes note of a topic as the brokers have it.
    ///
    /// - Parameter compression: nil to leave it as it is.
    @discardableResult
    func remember(_ info: TopicInfo, compression: TopicSettings.Compression? = nil) -> KafkaTopic {
        state.withLock { topics in
            let known = topics[info.name]
            var partitions = known?.partitions ?? []
            for partition in partitions.count..<max(partitions.count, info.partitions) {
                partitions.append(KafkaPartition(topic: info.name, number: PartitionID(partition)))
            }
            let topic = KafkaTopic(info: info, compression: compression ?? known?.compression ?? .none, partitions: partitions)
            topics[info.name] = topic
            return topic
        }
    }

    /// The partition of a topic that is known.
    ///
    /// - Throws: blocked, `log.unknown_topic` and `log.unknown_partition`.
    func partition(_ topic: TopicName, _ partition: PartitionID) throws(ModuleError) -> KafkaPartition {
        guard let known = self[topic] else { throw KafkaFailure.unknownTopic(topic) }
        guard known.partitions.indices.contains(Int(partition)) else {
            throw .blocked(
                "log.unknown_partition", "topic \"\(topic)\" has partitions 0 to \(known.partitions.count - 1), not \(partition)")
        }
        return known.partitions[Int(partition)]
    }
}
