/// Rereads a group's messages from the log, with the group's transforms applied again, so that a resumed stream
/// holds exactly what the live one would have.
public protocol MessageReplay: Sendable {
    /// The topics read, each with its partitions' ends now: where a connection that starts live begins. It may ask
    /// another host. Throws a transient error while the log cannot tell, rather than leave a topic out.
    func ends() async throws -> [ReplayTopic]

    /// The first offsets that retention has kept. Throws as ``ends()`` does.
    func starts() async throws -> [ReplayTopic]

    /// The partition that events of this key go to now, by Kafka's partitioner. Quick: it is called on event loops.
    func partition(of key: Bytes, topic: TopicName) -> PartitionID?

    /// Messages of some keys in one partition from `offset` on, in order, at most `limit` of them or a little more: those
    /// of one record come together. Rereads no further than `end`. Transient errors are the caller's to retry.
    ///
    /// - Parameter keys: nil for the messages of all keys; else a few, the same in each call for one connection.
    func read(
        topic: TopicName, partition: PartitionID, keys: [Bytes]?, from offset: Offset, to end: Offset, limit: Int
    ) async throws -> ReplayPage
}

/// A topic's partitions and an offset for each.
public struct ReplayTopic: Sendable {
    public let topic: TopicName
    public let incarnation: String
    /// One offset per partition, by partition number.
    public let offsets: [Offset]

    public init(topic: TopicName, incarnation: String, offsets: [Offset]) {
        self.topic = topic
        self.incarnation = incarnation
        self.offsets = offsets
    }
}

/// A piece of a replayed partition.
public struct ReplayPage: Sendable {
    /// ``Message/isLast`` is set as in the live stream; ``Message/previousOffset`` is not.
    public let messages: [Message]
    /// Where the next page starts; everything before it has been looked at.
    public let next: Offset
    /// The first offset kept, if retention has removed some of what was asked for.
    public let gapUntil: Offset?

    public init(messages: [Message], next: Offset, gapUntil: Offset?) {
        self.messages = messages
        self.next = next
        self.gapUntil = gapUntil
    }
}
