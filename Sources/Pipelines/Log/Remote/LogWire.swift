package import Martlet

/// What hosts say to each other about a log: paths under `/v1/log` of the log's host, its admin listener, with its
/// bearer token. Numbers in binary bodies are big-endian. Errors are problem details with the members `code` and `kind`.
///
///     GET  topics                                             every topic with its offsets
///     GET  topics/T                                           one topic, the same
///     GET  topics/T/partitions/P/records?offset=&max_bytes=   record batches as they lie on disk; 416 out of range
///     GET  topics/T/partitions/P/keyed?keys=&offset=&end=&limit=
///                                                             ``KeyedRecordsBody``, or 204; and where to go on
///     GET  topics/T/partitions/P/wait?offset=&wait_ms=        200 once there is a record, 204 if there is none by then
///     GET  topics/T/partitions/P/offset?timestamp=            {"offset": n}
///     POST topics/T/records                                   ``LogAppendBody``; answers 12 bytes a record: partition, offset
///     GET  groups                                             {"groups": [name]}
///     GET  groups/G/topics/T/partitions/P                     {"offset": n or null}
///     PUT  groups/G/topics/T/partitions/P                     {"offset": n}
package enum LogWire {
    /// The path that all others begin with.
    package static let root = "/v1/log"
    /// On an answer with records: the first offset kept, and the offset of the next record.
    package static let startHeader = "martlet-log-start"
    package static let endHeader = "martlet-log-end"
    /// On an answer with records: the topic's incarnation.
    package static let incarnationHeader = "martlet-log-incarnation"
    /// On an answer with records of some keys: where to go on.
    package static let nextHeader = "martlet-log-next"
    /// Records of some keys in one answer, and keys that one request may name.
    package static let keyedRecordsMax = 1_000
    package static let keysMax = 100
    /// The longest that `wait` waits, in milliseconds.
    package static let maxWaitMilliseconds = 20_000
    /// The most that one answer with records holds, unless a single batch is larger.
    package static let maxReadBytes = 4 << 20
    /// The largest batch that a log of the default settings can hold, with room to spare: the limit of what a reader takes.
    package static let answerLimit = 64 << 20

    /// Keys as they stand in a query.
    static func text(of keys: [Bytes]) -> String {
        keys.map { key in key.withUnsafeBytes { Base64URL.encode($0) } }.joined(separator: ",")
    }

    /// Nil if the text is none of ``text(of:)``.
    package static func keys(_ text: String) -> [Bytes]? {
        let keys = text.split(separator: ",", omittingEmptySubsequences: false).map { Base64URL.decode($0).map { Bytes($0) } }
        return keys.contains { $0 == nil } || keys.count > keysMax ? nil : keys.compactMap { $0 }
    }

    static func topic(_ topic: TopicName) -> String { "\(root)/topics/\(percentEncoded(topic.text))" }

    static func partition(_ name: TopicName, _ partition: PartitionID) -> String { "\(topic(name))/partitions/\(partition)" }

    static func group(_ group: GroupName, _ topic: TopicName, _ partition: PartitionID) -> String {
        "\(root)/groups/\(percentEncoded(group.text))/topics/\(percentEncoded(topic.text))/partitions/\(partition)"
    }

    private static func percentEncoded(_ text: String) -> String {
        text.utf8.map { byte in
            let scalar = Character(UnicodeScalar(byte))
            if scalar.isASCII, scalar.isLetter || scalar.isNumber || "-._~".contains(scalar) { return String(scalar) }
            return "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }

    /// A topic with its offsets, as JSON.
    package static func json(_ positions: TopicPositions) -> JSONNode {
        [
            "name": .string(positions.topic.name.text), "incarnation": .string(positions.topic.incarnation),
            "offsets": .array(positions.offsets.map { .array([.integer($0.lowerBound), .integer($0.upperBound)]) }),
        ]
    }

    /// Nil if the JSON is no such topic.
    static func positions(_ json: JSONNode) -> TopicPositions? {
        guard let name = json["name"]?.plainText, let incarnation = json["incarnation"]?.plainText,
            case .array(let items)? = json["offsets"]?.kind
        else { return nil }
        let offsets = items.compactMap { item -> Range<Offset>? in
            guard case .array(let bounds) = item.kind, bounds.count == 2, let start = bounds[0].whole, let end = bounds[1].whole,
                start >= 0, start <= end
            else { return nil }
            return start..<end
        }
        guard offsets.count == items.count else { return nil }
        return TopicPositions(
            topic: TopicInfo(name: TopicName(name), partitions: offsets.count, incarnation: incarnation), offsets: offsets)
    }

    /// The places of appended events.
    package static func encode(_ places: [RecordPlace]) -> Bytes {
        var output: [UInt8] = []
        output.reserveCapacity(places.count * 12)
        for place in places {
            output.putBigEndian(place.partition)
            output.putBigEndian(place.offset)
        }
        return Bytes(output)
    }

    /// Nil if there are not as many places as were asked for.
    static func places(_ body: Bytes, count: Int) -> [RecordPlace]? {
        guard body.count == count * 12 else { return nil }
        return body.withUnsafeBytes { bytes in
            (0..<count).map { index in
                RecordPlace(
                    partition: bytes.bigEndian(at: index * 12, as: PartitionID.self),
                    offset: bytes.bigEndian(at: index * 12 + 4, as: Offset.self))
            }
        }
    }
}

extension JSONNode {
    /// The value of a whole number.
    var whole: Int64? {
        if case .number(let number) = kind { number.int64 } else { nil }
    }
}

extension [UInt8] {
    mutating func putBigEndian<Value: FixedWidthInteger>(_ value: Value) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

extension UnsafeRawBufferPointer {
    func bigEndian<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value {
        Value(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}
