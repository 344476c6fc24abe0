import Martlet

/// How far a partition has been seen: every message before this place, and none from it on.
struct StreamPlace: Sendable, Hashable, Comparable {
    static let start = StreamPlace(offset: 0, index: 0)

    var offset: Offset
    /// Counts the messages of a record that a transform made several of; 0 for others.
    var index: Int32

    init(offset: Offset, index: Int32 = 0) {
        self.offset = offset
        self.index = index
    }

    /// The place of a message itself.
    init(of message: Message) {
        self.init(offset: message.record.offset, index: message.record.index)
    }

    /// The place behind a message.
    init(after message: Message) {
        if message.isLast {
            self.init(offset: message.record.offset + 1)
        } else {
            self.init(offset: message.record.offset, index: message.record.index + 1)
        }
    }

    /// The end of a reading of the log that reaches this place; whole records are read.
    var readingEnd: Offset { index == 0 ? offset : offset + 1 }

    static func < (left: StreamPlace, right: StreamPlace) -> Bool {
        (left.offset, left.index) < (right.offset, right.index)
    }
}

/// A partition of one of a stream's topics.
struct StreamSlot: Sendable, Hashable {
    /// The number of the topic in the stream's ``StreamLayout``.
    let topic: Int
    let partition: Int
}
