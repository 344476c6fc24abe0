/// Reads what a bus brings: envelopes of ``MessageEncoder``, and anything else as a foreign publisher's payload.
///
/// Limits: a head line of 64 KiB, 1,000 headers. Not for more than one thread at a time.
package struct MessageDecoder {
    /// What some bytes are.
    package enum Outcome {
        /// Ours, or a foreign publisher's: then without ``Message/previousOffset``, at offset -1 of a topic named after
        /// the channel, with the time of arrival.
        case message(Message)
        /// A message was too large to be sent.
        case gap
        /// An envelope of a version that this host cannot read; a message was missed.
        case unreadable
    }

    static let headBytesMax = 65_536
    static let headerCountMax = 1_000
    private static let family: StaticString = "martlet/"

    private var topic: TopicName = ""
    private var topicBytes: [UInt8] = []

    package init() {}

    /// - Parameters:
    ///   - bytes: kept alive by the message, whose parts are slices of it.
    ///   - channel: where the bytes came from.
    package mutating func decode(_ bytes: Bytes, from channel: TopicName) -> Outcome {
        switch version(of: bytes) {
        case .none: return .message(Self.foreign(bytes, channel))
        case .other: return .unreadable
        case .first:
            if bytes.begins(with: MessageEncoder.gap), bytes.count == MessageEncoder.gap.utf8CodeUnitCount { return .gap }
            // Somebody's text that only looks like an envelope is text.
            return .message(envelope(bytes) ?? Self.foreign(bytes, channel))
        }
    }

    private enum Version { case none, first, other }

    /// `martlet/`, digits, a space.
    private func version(of bytes: Bytes) -> Version {
        if bytes.begins(with: MessageEncoder.magic) { return .first }
        guard bytes.begins(with: Self.family) else { return .none }
        var index = Self.family.utf8CodeUnitCount
        while index < bytes.count, index < 16, bytes[index] >= UInt8(ascii: "0"), bytes[index] <= UInt8(ascii: "9") { index += 1 }
        let hasDigits = index > Self.family.utf8CodeUnitCount
        return hasDigits && index < bytes.count && bytes[index] == UInt8(ascii: " ") ? .other : .none
    }

    private static func foreign(_ bytes: Bytes, _ channel: TopicName) -> Message {
        let now = Timestamp.now()
        let event = Event(id: EventID.generate(at: now), key: nil, payload: bytes, timestamp: now)
        return Message(unkept: event, channel: channel)
    }

    private mutating func envelope(_ bytes: Bytes) -> Message? {
        guard var head = EnvelopeHead(bytes) else { return nil }
        let name = head.nextWord()
        guard !name.isEmpty,
            let partition = head.nextNumber().flatMap(PartitionID.init(exactly:)), partition >= 0,
            let offset = head.nextNumber(), offset >= -1,
            let index = head.nextNumber().flatMap(Int32.init(exactly:)), index >= 0, index < .max,
            let previous = head.nextNumberOrNone(), previous.map({ $0 >= -1 }) ?? true,
            let last = head.nextNumber(), last == 0 || last == 1,
            let timestamp = head.nextNumber(),
            let payload = head.nextPart(),
            let id = head.nextPart(),
            let key = head.nextPartOrNone()
        else { return nil }
        var headers: [Header] = []
        while !head.isAtEnd {
            guard headers.count < Self.headerCountMax, let name = head.nextPart(), let value = head.nextPart() else { return nil }
            headers.append(Header(name.string, value))
        }
        guard head.isComplete else { return nil }
        remember(bytes, name)
        let event = Event(id: id, key: key, headers: headers, payload: payload, timestamp: timestamp)
        let record = Record(topic: topic, partition: partition, offset: offset, index: index, event: event)
        return Message(record: record, previousOffset: previous, isLast: last == 1)
    }

    /// Makes a string of the topic's name only if it is not the one before.
    private mutating func remember(_ bytes: Bytes, _ range: Range<Int>) {
        bytes.withUnsafeBytes { raw in
            let text = raw[range]
            if topicBytes.elementsEqual(text) { return }
            topicBytes = Array(text)
            topic = TopicName(String(decoding: text, as: UTF8.self))
        }
    }
}
