@testable import EmbeddedLog

/// A record as both sides of a comparison write it down.
struct SampleRecord {
    var timestamp: Int64 = 1_700_000_000_000
    var key: [UInt8]?
    var value: [UInt8]?
    var headers: [RecordHeader] = []

    /// Records of all shapes: none, empty, null, binary, UTF-8, timestamps that step back.
    static let shapes: [SampleRecord] = [
        SampleRecord(key: Array("key".utf8), value: Array("value".utf8), headers: [RecordHeader(name: "martlet-id", value: "0190-1")]),
        SampleRecord(timestamp: 1_700_000_000_777, key: nil, value: nil),
        SampleRecord(timestamp: 1_699_999_999_000, key: [], value: [], headers: [RecordHeader(name: "", value: nil), RecordHeader(name: "h", value: [])]),
        SampleRecord(key: [0, 255, 128], value: (0...255).map { UInt8($0) }, headers: [RecordHeader(name: "größe", value: [1, 2, 3])]),
    ]

    /// Many that look alike, as events do.
    static func likes(_ count: Int) -> [SampleRecord] {
        (0..<count).map { number in
            SampleRecord(
                timestamp: 1_700_000_000_000 + Int64(number * 3), key: Array("owner-\(number % 7)".utf8),
                value: Array(#"{"type":"like","recipient":"owner-\#(number % 7)","actor":"user-\#(number)","post_id":\#(number * 31)}"#.utf8),
                headers: [RecordHeader(name: "martlet-id", value: "0190f3c0-0000-7000-8000-\(100_000_000_000 + number)")])
        }
    }

    static func batch(_ records: [SampleRecord], producer: BatchProducer = .none) -> RecordBatch {
        var builder = RecordBatchBuilder()
        for record in records {
            builder.append(timestamp: record.timestamp, key: record.key, value: record.value, headers: record.headers)
        }
        return builder.finish(producer: producer)
    }

    func line(offset: Int64) -> String {
        let headers = headers.map { "\(hex(Array($0.name.utf8)))=\($0.value.map(hex) ?? "null")" }.joined(separator: ",")
        return "R \(offset) \(timestamp) \(key.map(hex) ?? "null") \(value.map(hex) ?? "null") [\(headers)]"
    }

    /// The records of a cursor.
    static func lines(_ chunk: LogChunk) throws -> [String] {
        var lines: [String] = []
        var cursor = chunk.records()
        while try cursor.next() {
            var record = SampleRecord(timestamp: cursor.timestamp, key: cursor.key.map { Array($0) }, value: cursor.value.map { Array($0) })
            try cursor.forEachHeader { name, value in
                record.headers.append(RecordHeader(name: String(decoding: name, as: UTF8.self), value: value.map { Array($0) }))
            }
            lines.append((cursor.isControl ? "control " : "") + record.line(offset: cursor.offset))
        }
        return lines
    }

    /// A script's functions that write the same lines.
    static let python = """
        import sys, struct
        from kafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder
        from kafka.record.memory_records import MemoryRecords
        def text(value): return "null" if value is None else value.hex()
        def show(record):
            headers = ",".join(name.encode().hex() + "=" + text(value) for name, value in record.headers)
            print("R", record.offset, record.timestamp, text(record.key), text(record.value), "[" + headers + "]")

        """

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
