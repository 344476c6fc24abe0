/// A place in a topic.
package struct TopicPartition: Hashable, Sendable {
    package let topic: String
    package let partition: Int32

    package init(topic: String, partition: Int32) {
        self.topic = topic
        self.partition = partition
    }
}

/// A group and its committed offsets: for each partition, the offset of the next record to handle.
package struct GroupDescription: Sendable, Equatable {
    package let name: String
    package let offsets: [TopicPartition: Int64]
}

/// Offsets that become visible when their cycle is durable; `nil` forgets a partition.
struct GroupOffsetUpdate: Sendable {
    let group: String
    let offsets: [(place: TopicPartition, offset: Int64?)]
}

/// Records of the topic `__consumer_offsets`, in Kafka's own layout (big-endian): key = version 1,
/// group, topic, partition; value = version 3, offset, leader epoch, metadata, commit timestamp.
/// The metadata holds the incarnation of the topic, so that a topic made anew starts without offsets.
enum GroupOffsetRecord {
    static let topic = "__consumer_offsets"

    static func key(group: String, _ place: TopicPartition) -> [UInt8] {
        var bytes: [UInt8] = []
        put(Int16(1), &bytes)
        put(group, &bytes)
        put(place.topic, &bytes)
        put(place.partition, &bytes)
        return bytes
    }

    static func value(offset: Int64, incarnation: String, timestamp: Int64) -> [UInt8] {
        var bytes: [UInt8] = []
        put(Int16(3), &bytes)
        put(offset, &bytes)
        put(Int32(-1), &bytes)
        put(incarnation, &bytes)
        put(timestamp, &bytes)
        return bytes
    }

    static func parseKey(_ bytes: UnsafeRawBufferPointer) -> (group: String, place: TopicPartition)? {
        var place = 2
        guard bytes.count > 2, let group = string(bytes, &place), let topic = string(bytes, &place), place + 4 <= bytes.count else { return nil }
        return (group, TopicPartition(topic: topic, partition: bytes.baseAddress!.bigEndian(at: place, as: Int32.self)))
    }

    static func parseValue(_ bytes: UnsafeRawBufferPointer) -> (offset: Int64, incarnation: String)? {
        var place = 14
        guard bytes.count > place, let incarnation = string(bytes, &place) else { return nil }
        return (bytes.baseAddress!.bigEndian(at: 2, as: Int64.self), incarnation)
    }

    private static func put<Value: FixedWidthInteger>(_ value: Value, _ bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    private static func put(_ text: String, _ bytes: inout [UInt8]) {
        put(Int16(text.utf8.count), &bytes)
        bytes += Array(text.utf8)
    }

    private static func string(_ bytes: UnsafeRawBufferPointer, _ place: inout Int) -> String? {
        guard place + 2 <= bytes.count else { return nil }
        let count = Int(bytes.baseAddress!.bigEndian(at: place, as: Int16.self))
        guard count >= 0, place + 2 + count <= bytes.count else { return nil }
        defer { place += 2 + count }
        return String(decoding: bytes[(place + 2)..<(place + 2 + count)], as: UTF8.self)
    }
}

/// Records of the topic `__producer_marks`: the last outbox row of each producer in each partition.
/// Big-endian: key = version 1 (2 bytes), producer id 8, topic incarnation 16, partition 4;
/// value = version 1 (2 bytes), row 8.
enum ProducerMarkRecord {
    static let topic = "__producer_marks"
    /// Room that one takes in the journal, generously.
    static let maxBytes = 128

    static func key(producerID: Int64, incarnation: UUIDBytes, partition: Int32) -> [UInt8] {
        var bytes: [UInt8] = [0, 1]
        for value in [UInt64(bitPattern: producerID), incarnation.high, incarnation.low] {
            withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
        }
        withUnsafeBytes(of: partition.bigEndian) { bytes.append(contentsOf: $0) }
        return bytes
    }

    static func value(row: Int64) -> [UInt8] {
        [0, 1] + withUnsafeBytes(of: row.bigEndian) { Array($0) }
    }

    static func parseKey(_ bytes: UnsafeRawBufferPointer) -> (producerID: Int64, incarnation: UUIDBytes, partition: Int32)? {
        guard bytes.count == 30, let base = bytes.baseAddress else { return nil }
        let incarnation = UUIDBytes(high: base.bigEndian(at: 10, as: UInt64.self), low: base.bigEndian(at: 18, as: UInt64.self))
        return (base.bigEndian(at: 2, as: Int64.self), incarnation, base.bigEndian(at: 26, as: Int32.self))
    }

    static func parseValue(_ bytes: UnsafeRawBufferPointer) -> Int64? {
        bytes.count == 10 ? bytes.baseAddress!.bigEndian(at: 2, as: Int64.self) : nil
    }
}
