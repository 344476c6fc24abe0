import EmbeddedLog
import Glibc
import Martlet

/// Turns a chunk of the log into records that share its memory.
enum RecordDecoder {
    /// The records of some keys before an offset, at most `limit`; the others are not made.
    static func keyed(
        in chunk: LogChunk, topic: TopicName, partition: PartitionID, keys: [Bytes], before end: Offset, limit: Int
    ) throws(LogError) -> KeyedRecords {
        var records: [Record] = []
        var cursor = chunk.records()
        while try cursor.next() {
            if cursor.offset >= end { return KeyedRecords(records: records, next: end) }
            guard let key = cursor.key, !cursor.isControl, keys.contains(where: { isSame($0, key) }) else { continue }
            if records.count == limit { return KeyedRecords(records: records, next: cursor.offset) }
            records.append(try record(cursor, chunk, topic, partition))
        }
        return KeyedRecords(records: records, next: min(chunk.nextOffset, end))
    }

    private static func isSame(_ key: Bytes, _ other: UnsafeRawBufferPointer) -> Bool {
        key.withUnsafeBytes { key in
            guard key.count == other.count else { return false }
            guard let left = key.baseAddress, let right = other.baseAddress else { return true }
            return memcmp(left, right, key.count) == 0
        }
    }

    private static func record(
        _ cursor: RecordCursor, _ chunk: LogChunk, _ topic: TopicName, _ partition: PartitionID
    ) throws(LogError) -> Record {
        let (id, headers) = try split(cursor, chunk)
        let event = Event(
            id: id ?? Bytes("\(topic)/\(partition)/\(cursor.offset)"), key: cursor.key.map { bytes($0, chunk) },
            headers: headers, payload: cursor.value.map { bytes($0, chunk) } ?? .empty, timestamp: cursor.timestamp)
        return Record(topic: topic, partition: partition, offset: cursor.offset, event: event)
    }

    static let idHeaderName = Array(EmbeddedEventLog.idHeader.utf8)

    static func records(in chunk: LogChunk, topic: TopicName, partition: PartitionID) throws(LogError) -> [Record] {
        var records: [Record] = []
        var cursor = chunk.records()
        while try cursor.next() {
            if cursor.isControl { continue }
            records.append(try record(cursor, chunk, topic, partition))
        }
        return records
    }

    /// The id and the event's own headers. A foreign record without an id is named by its place.
    private static func split(_ cursor: RecordCursor, _ chunk: LogChunk) throws(LogError) -> (Bytes?, [Header]) {
        var id: Bytes?
        var headers: [Header] = []
        try cursor.forEachHeader { name, value in
            if id == nil, isIDName(name) {
                id = value.map { bytes($0, chunk) }
            } else {
                headers.append(Header(String(decoding: name, as: UTF8.self), value.map { bytes($0, chunk) } ?? .empty))
            }
        }
        return (id, headers)
    }

    private static func isIDName(_ name: UnsafeRawBufferPointer) -> Bool {
        guard name.count == idHeaderName.count, let base = name.baseAddress else { return false }
        return idHeaderName.withUnsafeBytes { wanted in wanted.elementsEqual(UnsafeRawBufferPointer(start: base, count: name.count)) }
    }

    private static func bytes(_ buffer: UnsafeRawBufferPointer, _ chunk: LogChunk) -> Bytes {
        guard let start = buffer.baseAddress else { return .empty }
        return Bytes(unsafeOwner: chunk, start: start, count: buffer.count)
    }
}
