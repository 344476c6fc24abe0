import Martlet

/// The topics of a stream, in the order of the replayed group; fixed from the moment the channel opens. Partitions may
/// be added, and then begin at 0.
struct StreamLayout: Sendable {
    let topics: [TopicName]
    /// Stands for a topic and its incarnation in cursors: a log that was wiped has other tags.
    let tags: [UInt32]

    init(_ topics: [ReplayTopic]) {
        self.topics = topics.map(\.topic)
        tags = topics.map { Self.tag(of: $0) }
    }

    func index(of topic: TopicName) -> Int? {
        // A group has a handful of topics, mostly one.
        topics.firstIndex(of: topic)
    }

    /// FNV-1a, 32 bits, over the name, a NUL and the incarnation.
    static func tag(of topic: ReplayTopic) -> UInt32 {
        var hash: UInt32 = 2_166_136_261
        func add(_ byte: UInt8) { hash = (hash ^ UInt32(byte)) &* 16_777_619 }
        for byte in topic.topic.text.utf8 { add(byte) }
        add(0)
        for byte in topic.incarnation.utf8 { add(byte) }
        return hash
    }
}
