/// A record on its way to channels, with what a receiver needs to see that it missed one.
public struct Message: Sendable {
    public var record: Record

    /// The offset of the record that was published before this one's in the partition; everything between the two was
    /// filtered. -1 at the start of a partition. A receiver that has not got past it has missed messages.
    /// Nil for a message that has no place in a log: a foreign publisher's, or a source's that publishes on the bus itself.
    public var previousOffset: Offset?

    /// Whether this is the last of the messages that its record became: false only where a transform made several of
    /// one, and others follow with a higher ``Record/index``. Their indexes start at 0 and have no holes.
    public var isLast: Bool

    public init(record: Record, previousOffset: Offset?, isLast: Bool = true) {
        self.record = record
        self.previousOffset = previousOffset
        self.isLast = isLast
    }

    /// A message that no log keeps: at offset -1 of a topic named after the bus's channel.
    package init(unkept event: Event, channel: TopicName) {
        self.init(record: Record(topic: channel, partition: 0, offset: -1, event: event), previousOffset: nil)
    }
}
