import Martlet
import Pipelines

/// A record as a line of JSON. What is no text is given in base64, under a name that says so.
struct RecordJSON {
    private let payloads = SimdjsonPayloadReader()

    /// `{"topic":…,"partition":…,"offset":…,"timestamp":…,"id":…,"key":…,"headers":[…],"payload":…}`.
    ///
    /// `key` is null without a key. The payload is `payload` if it is JSON, else `payload_text` or `payload_base64`.
    func append(_ record: Record, to line: inout [UInt8]) {
        line += #"{"topic":"#.utf8
        JSONText.appendQuoted(record.topic.text, to: &line)
        line += ",\"partition\":\(record.partition),\"offset\":\(record.offset),\"timestamp\":\(record.event.timestamp),\"id\":".utf8
        JSONText.appendQuoted(record.event.id.string, to: &line)
        line.append(UInt8(ascii: ","))
        if let key = record.event.key { append("key", key, to: &line) } else { line += #""key":null"#.utf8 }
        line += #","headers":["#.utf8
        for (index, header) in record.event.headers.enumerated() {
            line += index == 0 ? #"{"name":"#.utf8 : #",{"name":"#.utf8
            JSONText.appendQuoted(header.name, to: &line)
            line.append(UInt8(ascii: ","))
            append("value", header.value, to: &line)
            line.append(UInt8(ascii: "}"))
        }
        line += "],".utf8
        append(payload: record.event.payload, to: &line)
        line.append(UInt8(ascii: "}"))
    }

    private func append(payload: Bytes, to line: inout [UInt8]) {
        do throws(PayloadError) {
            try payloads.check(payload)
        } catch {
            let isText = payload.isText
            line += isText ? #""payload_text":"#.utf8 : #""payload_base64":"#.utf8
            return JSONText.appendQuoted(isText ? payload.string : Base64.encode(payload), to: &line)
        }
        line += #""payload":"#.utf8
        payload.withUnsafeBytes { bytes in
            // A line break in JSON is white space between values, never part of one.
            for byte in bytes { line.append(byte == 0x0A || byte == 0x0D ? 0x20 : byte) }
        }
    }

    private func append(_ name: String, _ value: Bytes, to line: inout [UInt8]) {
        let isText = value.isText
        line += (isText ? "\"\(name)\":" : "\"\(name)_base64\":").utf8
        JSONText.appendQuoted(isText ? value.string : Base64.encode(value), to: &line)
    }
}

extension Bytes {
    /// Whether the bytes are UTF-8.
    var isText: Bool {
        withUnsafeBytes { String(validating: $0, as: UTF8.self) != nil }
    }
}
