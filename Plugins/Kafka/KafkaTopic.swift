import Martlet

/// A topic that this host uses, and what it has heard of its partitions.
struct KafkaTopic: Sendable {
    let info: TopicInfo
    let compression: TopicSettings.Compression
    /// By number. Partitions that are added come behind these, which stay the same objects.
    let partitions: [KafkaPartition]

    /// This host has appended records at these places.
    func appended(_ places: [RecordPlace]) {
        var last: [PartitionID: Offset] = [:]
        for place in places { last[place.partition] = max(last[place.partition] ?? -1, place.offset) }
        for (partition, offset) in last where partitions.indices.contains(Int(partition)) {
            partitions[Int(partition)].hasRecord(at: offset)
        }
    }
}
