import Martlet

/// A place for each partition of each topic of a stream. A partition that is not listed is at its start.
struct StreamPositions: Sendable {
    /// By topic of the ``StreamLayout``, then by partition.
    private(set) var topics: [[StreamPlace]]

    init(topics: [[StreamPlace]]) {
        self.topics = topics
    }

    init(_ topics: [ReplayTopic]) {
        self.topics = topics.map { topic in topic.offsets.map { StreamPlace(offset: $0) } }
    }

    subscript(slot: StreamSlot) -> StreamPlace {
        get {
            let partitions = topics[slot.topic]
            return slot.partition < partitions.count ? partitions[slot.partition] : .start
        }
        set {
            let missing = slot.partition + 1 - topics[slot.topic].count
            if missing > 0 { topics[slot.topic] += Array(repeating: .start, count: missing) }
            topics[slot.topic][slot.partition] = newValue
        }
    }

    /// Whether this is as far as `other` or further in every partition.
    func covers(_ other: StreamPositions) -> Bool {
        firstSlot(behind: other) == nil
    }

    /// The first partition in which this is behind `other`.
    ///
    /// - Parameter later: by topic, partitions that come last.
    func firstSlot(behind other: StreamPositions, later: [[Int]] = []) -> StreamSlot? {
        for topic in other.topics.indices {
            let last = topic < later.count ? later[topic] : []
            var candidate: StreamSlot?
            for partition in other.topics[topic].indices {
                let slot = StreamSlot(topic: topic, partition: partition)
                guard self[slot] < other[slot] else { continue }
                if !last.contains(partition) { return slot }
                candidate = candidate ?? slot
            }
            if let candidate { return candidate }
        }
        return nil
    }
}
