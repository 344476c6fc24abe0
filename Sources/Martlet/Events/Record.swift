/// An event at its place in the log.
public struct Record: Sendable {
    public var topic: TopicName
    public var partition: PartitionID
    public var offset: Offset
    /// The place among the records that a transform made of one consumed record; 0 when it made one.
    public var index: Int32
    public var event: Event

    public init(topic: TopicName, partition: PartitionID, offset: Offset, index: Int32 = 0, event: Event) {
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.index = index
        self.event = event
    }
}
