/// Writes messages as the bytes that cross the wire between hosts: the envelope, version 1.
///
///     martlet/1 TOPIC PARTITION OFFSET INDEX PREVIOUS LAST TIMESTAMP PAYLOAD ID KEY [NAME VALUE]…\n
///     payload id key [name value]…
///
/// One line of text, its fields divided by one space, then bytes that follow each other without any divider. PARTITION to
/// TIMESTAMP are decimal numbers (LAST is 0 or 1, TIMESTAMP is in milliseconds, PREVIOUS is `-` if unknown); PAYLOAD, ID,
/// KEY and a NAME and a VALUE for each header are lengths in bytes, in the order of the bytes (KEY is `-` without a key).
/// So a foreign client finds the payload with a split at the first line feed and one number.
///
/// `martlet/1 gap\n` stands for a message that was too large to be sent: receivers reread the log.
///
/// Not for more than one thread at a time.
package struct MessageEncoder {
    /// What every envelope of this version begins with.
    static let magic: StaticString = "martlet/1 "
    /// The line that stands for a message that was left out.
    package static let gap: StaticString = "martlet/1 gap\n"

    private var head: [UInt8] = []
    private var topic: TopicName?
    private var topicText: [UInt8] = []

    package init() {}

    /// Begins a message. Returns the size of its envelope in bytes; ``append(_:to:)`` of the same message writes it.
    package mutating func prepare(_ message: Message) -> Int {
        let record = message.record
        if topic != record.topic { remember(record.topic) }
        head.removeAll(keepingCapacity: true)
        head.append(literal: Self.magic)
        head.append(contentsOf: topicText)
        field(Int64(record.partition))
        field(record.offset)
        field(Int64(record.index))
        field(message.previousOffset)
        field(message.isLast ? 1 : 0)
        field(record.event.timestamp)
        var size = 0
        length(record.event.payload, &size)
        length(record.event.id, &size)
        if let key = record.event.key { length(key, &size) } else { field(nil) }
        for header in record.event.headers {
            field(Int64(header.name.utf8.count))
            size += header.name.utf8.count
            length(header.value, &size)
        }
        head.append(UInt8(ascii: "\n"))
        return head.count + size
    }

    /// Writes the message that ``prepare(_:)`` was called with last.
    package func append(_ message: Message, to bytes: inout [UInt8]) {
        let event = message.record.event
        bytes.append(contentsOf: head)
        bytes.append(event.payload)
        bytes.append(event.id)
        if let key = event.key { bytes.append(key) }
        for header in event.headers {
            bytes.append(contentsOf: header.name.utf8)
            bytes.append(header.value)
        }
    }

    /// A topic's name as a field: what Kafka does not allow in a name would break the line, and becomes `_`.
    private mutating func remember(_ name: TopicName) {
        topic = name
        topicText = name.isValid || name.text.isEmpty ? Array(name.text.utf8) : name.text.utf8.map { byte in
            byte > 0x20 && byte < 0x7F ? byte : UInt8(ascii: "_")
        }
        if topicText.isEmpty { topicText = [UInt8(ascii: "_")] }
    }

    private mutating func field(_ number: Int64?) {
        head.append(UInt8(ascii: " "))
        if let number { head.append(decimal: number) } else { head.append(UInt8(ascii: "-")) }
    }

    private mutating func length(_ bytes: Bytes, _ size: inout Int) {
        field(Int64(bytes.count))
        size += bytes.count
    }
}
