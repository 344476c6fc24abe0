import Martlet

/// The `id:` of a stream's events: how far the client has got in every partition. Opaque to clients.
///
/// Format: base64url without padding of
///
///     byte    version, 1
///     then for each topic
///     4 bytes tag of topic and incarnation, little-endian
///     varint  number of partitions
///     then for each partition
///     varint  offset × 2, plus 1 if an index follows
///     varint  index, within a record that became several messages
///
/// A text that does not decode is no cursor of ours. Limits: 64 KiB of text, 100,000 partitions, offsets below 2^62.
struct StreamCursor: Sendable {
    private static let version: UInt8 = 1
    static let textLimit = 65_536
    static let partitionLimit = 100_000

    var topics: [(tag: UInt32, places: [StreamPlace])]

    init(topics: [(tag: UInt32, places: [StreamPlace])]) {
        self.topics = topics
    }

    /// Appends the text of the cursor for positions; the hot path makes no ``StreamCursor``.
    static func append(_ positions: StreamPositions, _ layout: StreamLayout, to text: inout [UInt8]) {
        var writer = Base64URL.Writer()
        writer.append(version, to: &text)
        for (index, places) in positions.topics.enumerated() {
            var tag = layout.tags[index]
            for _ in 0..<4 {
                writer.append(UInt8(truncatingIfNeeded: tag), to: &text)
                tag >>= 8
            }
            append(UInt64(places.count), &writer, to: &text)
            for place in places {
                append(UInt64(place.offset) << 1 | (place.index > 0 ? 1 : 0), &writer, to: &text)
                if place.index > 0 { append(UInt64(place.index), &writer, to: &text) }
            }
        }
        writer.finish(&text)
    }

    private static func append(_ number: UInt64, _ writer: inout Base64URL.Writer, to text: inout [UInt8]) {
        var rest = number
        while rest > 0x7F {
            writer.append(UInt8(truncatingIfNeeded: rest) | 0x80, to: &text)
            rest >>= 7
        }
        writer.append(UInt8(rest), to: &text)
    }

    /// Nil if the text is not a cursor.
    init?(_ text: String) {
        guard text.utf8.count <= Self.textLimit, let bytes = Base64URL.decode(text) else { return nil }
        var reader = Reader(bytes: bytes)
        guard reader.byte() == Self.version else { return nil }
        topics = []
        while !reader.isAtEnd {
            guard let tag = reader.tag(), let count = reader.varint(), count <= UInt64(Self.partitionLimit) else { return nil }
            var places: [StreamPlace] = []
            for _ in 0..<count {
                guard let number = reader.varint(), number >> 1 < 1 << 62 else { return nil }
                var place = StreamPlace(offset: Offset(number >> 1))
                if number & 1 == 1 {
                    guard let index = reader.varint(), index > 0, index < UInt64(Int32.max) else { return nil }
                    place.index = Int32(index)
                }
                places.append(place)
            }
            topics.append((tag, places))
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { position == bytes.count }

        mutating func byte() -> UInt8? {
            guard position < bytes.count else { return nil }
            defer { position += 1 }
            return bytes[position]
        }

        mutating func tag() -> UInt32? {
            var tag: UInt32 = 0
            for shift in 0..<4 {
                guard let byte = byte() else { return nil }
                tag |= UInt32(byte) << UInt32(shift * 8)
            }
            return tag
        }

        mutating func varint() -> UInt64? {
            var number: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 63, by: 7) {
                guard let byte = byte() else { return nil }
                number |= UInt64(byte & 0x7F) << shift
                if byte & 0x80 == 0 { return number }
            }
            return nil
        }
    }
}
