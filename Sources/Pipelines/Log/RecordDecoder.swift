import EmbeddedLog
import Martlet

/// Turns a chunk of the log into records that share its memory.
enum RecordDecoder {
    static let idHeaderName = Array(EmbeddedEventLog.idHeader.utf8)

    static func records(in chunk: LogChunk, topic: TopicName, partition: PartitionID) throws(LogError) -> [Record] {
        var records: [Record] = []
        var cursor = chunk.records()
        while try cursor.next() {
            if cursor.isControl { continue }
            let (id, headers) = try split(cursor, chunk)
            let event = Event(
                id: id ?? Bytes("\(topic)/\(partition)/\(cursor.offset)"), key: cursor.key.map { bytes($0, chunk) },
                headers: headers, payload: cursor.value.map { bytes($0, chunk) } ?? .empty, timestamp: cursor.timestamp)
            records.append(Record(topic: topic, partition: partition, offset: cursor.offset, event: event))
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
