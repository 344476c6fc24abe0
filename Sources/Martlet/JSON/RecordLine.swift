/// A record as a JSON object on one line: what files, processes and people read.
package enum RecordLine {
    /// Appends `{"topic":…,"partition":…,"offset":…,"id":…,"key":…,"timestamp":…,"headers":{…},"payload":…}`. Of headers with the same name
    /// the first is there. A payload that is not JSON stands in `payload_base64`.
    ///
    /// - Parameter isJSON: whether the payload is checked JSON.
    package static func append(_ record: Record, isJSON: Bool, to text: inout [UInt8]) {
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
        if isJSON {
            text += #","payload":"#.utf8
            event.payload.appendOnOneLine(to: &text)
        } else {
            text += #","payload_base64":""#.utf8
            text += Base64.encode(event.payload).utf8
            text.append(UInt8(ascii: "\""))
        }
        text.append(UInt8(ascii: "}"))
    }
}

extension Bytes {
    /// Appends JSON without line breaks, which in JSON are white space between values, never part of one.
    package func appendOnOneLine(to text: inout [UInt8]) {
        withUnsafeBytes { bytes in
            let isOneLine = !bytes.contains { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
            if isOneLine {
                text.append(contentsOf: bytes)
            } else {
                text.append(contentsOf: bytes.lazy.map { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") ? UInt8(ascii: " ") : $0 })
            }
        }
    }
}
