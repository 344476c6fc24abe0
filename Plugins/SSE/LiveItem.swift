import Martlet

/// One step of the live stream, in the order in which every shard takes it.
enum LiveItem: Sendable {
    /// A message with a place in the log.
    case message(LiveMessage)
    /// A message from a foreign publisher: it reaches those connected and has no id.
    case foreign(Message, key: Bytes)
    /// Everything of the partition before the place has been seen: the rest was filtered.
    case advance(StreamSlot, StreamPlace)
    /// Messages of the partition before the place are lost to everybody: retention removed them.
    case gap(StreamSlot, StreamPlace)
    /// Messages were lost on the bus, and there is no replay to find out which.
    case loss
}

/// A message of the live stream.
struct LiveMessage: Sendable {
    let message: Message
    /// What connections match it by.
    let key: Bytes
    let slot: StreamSlot
    let place: StreamPlace
    let after: StreamPlace

    init(_ message: Message, key: Bytes, slot: StreamSlot) {
        self.message = message
        self.key = key
        self.slot = slot
        place = StreamPlace(of: message)
        after = StreamPlace(after: message)
    }
}
