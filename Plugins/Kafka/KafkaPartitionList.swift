import CRdKafka
import Martlet

/// A list of partitions with offsets, as librdkafka has it; freed at the end.
struct KafkaPartitionList: ~Copyable {
    typealias List = UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    let raw: List

    init(capacity: Int = 1) {
        guard let list = rd_kafka_topic_partition_list_new(CInt(capacity)) else { preconditionFailure("librdkafka has no memory") }
        raw = list
    }

    deinit {
        rd_kafka_topic_partition_list_destroy(raw)
    }

    func add(_ topic: TopicName, _ partition: PartitionID, offset: Offset = Offset(RD_KAFKA_OFFSET_INVALID)) {
        rd_kafka_topic_partition_list_add(raw, topic.text, partition).pointee.offset = offset
    }

    static func partitions(_ list: List?) -> [TopicName: [PartitionID]] {
        guard let list = list?.pointee else { return [:] }
        var partitions: [TopicName: [PartitionID]] = [:]
        for index in 0..<Int(list.cnt) {
            let element = list.elems[index]
            partitions[TopicName(String(cString: element.topic)), default: []].append(element.partition)
        }
        return partitions.mapValues { $0.sorted() }
    }
}
