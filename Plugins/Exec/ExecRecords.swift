import Martlet

/// Records as the JSON arrays that a process gets, none longer than a line may be.
struct ExecRecords {
    /// Some of a batch's records that go out in one line.
    struct Part {
        let range: Range<Int>
        let json: [UInt8]
    }

    /// For what stands around the records of a line.
    private static let envelopeBytes = 64

    private(set) var parts: [Part] = []
    /// Records that are too large, by their place in the batch.
    private(set) var tooLarge: [Int: ModuleError] = [:]

    init(_ batch: [Record], maxLineBytes: Int, reader: any PayloadReader) {
        let limit = maxLineBytes - Self.envelopeBytes
        var json: [UInt8] = []
        var first = 0
        func finish(_ end: Int) {
            if !json.isEmpty { parts.append(Part(range: first..<end, json: json + [UInt8(ascii: "]")])) }
            json = []
        }
        for (index, record) in batch.enumerated() {
            var text: [UInt8] = []
            Self.append(record, to: &text, reader)
            guard text.count <= limit else {
                finish(index)
                tooLarge[index] = .permanent(
                    "exec.record_too_large",
                    "the record takes \(text.count) bytes as JSON, and a line of the process has \(maxLineBytes) (`max_line_bytes`)")
                continue
            }
            if json.count + text.count > limit { finish(index) }
            if json.isEmpty { first = index }
            json.append(json.isEmpty ? UInt8(ascii: "[") : UInt8(ascii: ","))
            json += text
        }
        finish(batch.count)
    }

    private static func append(_ record: Record, to text: inout [UInt8], _ reader: any PayloadReader) {
        let event = record.event
        text += #"{"topic":"#.utf8
        JSONText.appendQuoted(record.topic.text, to: &text)
        text += ",\"partition\":\(record.partition),\"offset\":\(record.offset),\"id\":".utf8
        JSONText.appendQuoted(event.id.string, to: &text)
        text += #","key":"#.utf8
        if let key = event.key { JSONText.appendQuoted(key.string, to: &text) } else { text += "null".utf8 }
        text += ",\"timestamp\":\(event.timestamp),\"headers\":{".utf8
        var names: [String] = []
        for header in event.headers where !names.contains(header.name) {
            if !names.isEmpty { text.append(UInt8(ascii: ",")) }
            names.append(header.name)
            JSONText.appendQuoted(header.name, to: &text)
            text.append(UInt8(ascii: ":"))
            JSONText.appendQuoted(header.value.string, to: &text)
        }
        text.append(UInt8(ascii: "}"))
        if (try? reader.check(event.payload)) != nil {
            text += #","payload":"#.utf8
            appendOnOneLine(event.payload, to: &text)
        } else {
            text += #","payload_base64":""#.utf8
            text += Base64.encode(event.payload).utf8
            text.append(UInt8(ascii: "\""))
        }
        text.append(UInt8(ascii: "}"))
    }

    /// A line break in JSON is white space between values, never part of one.
    private static func appendOnOneLine(_ payload: Bytes, to text: inout [UInt8]) {
        payload.withUnsafeBytes { bytes in
            for byte in bytes {
                text.append(byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") ? UInt8(ascii: " ") : byte)
            }
        }
    }
}
