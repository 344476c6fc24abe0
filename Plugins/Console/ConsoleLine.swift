import Martlet

/// The line that stands for a record when no template is configured.
enum ConsoleLine {
    /// Appends `{"topic":…,"partition":…,"offset":…,"key":…,"payload":…}` and a line end.
    ///
    /// - Parameter isJSON: whether the payload is JSON and stands as it is; other payloads become a string.
    static func append(_ record: Record, isJSON: Bool, to text: inout [UInt8]) {
        text += #"{"topic":"#.utf8
        JSONText.appendQuoted(record.topic.text, to: &text)
        text += ",\"partition\":\(record.partition),\"offset\":\(record.offset),\"key\":".utf8
        if let key = record.event.key { JSONText.appendQuoted(key.string, to: &text) } else { text += "null".utf8 }
        text += #","payload":"#.utf8
        if isJSON { record.event.payload.appendOnOneLine(to: &text) } else {
            JSONText.appendQuoted(record.event.payload.string, to: &text)
        }
        text += "}\n".utf8
    }
}
