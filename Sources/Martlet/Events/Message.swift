/// A record on its way to channels, with what a receiver needs to see that it missed one.
public struct Message: Sendable {
    public var record: Record

    /// The offset up to which (inclusive) everything of the partition was published or filtered before
    /// this message; -1 at the start of a partition. A receiver whose own position is lower has missed messages.
    /// Nil for a message from a foreign publisher, which has no place in a log.
    public var previousOffset: Offset?

    public init(record: Record, previousOffset: Offset?) {
        self.record = record
        self.previousOffset = previousOffset
    }
}
