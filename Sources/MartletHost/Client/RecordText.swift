import Martlet

/// A record from a host's answer, for people.
struct RecordText {
    private let node: JSONNode

    /// - Parameter line: as ``RecordJSON`` writes it.
    init(_ line: ArraySlice<UInt8>) throws(ClientError) {
        var limits = JSONReader.Limits()
        limits.bytes = AdminTransfer.bodyBytesMax
        // A payload may be as deep as the log takes it.
        limits.depth = 300
        let problems = ConfigProblems(file: "a record")
        guard let node = JSONReader.read(Array(line), limits: limits, problems: problems), problems.isEmpty else {
            throw ClientError("the host's answer holds a line that is no record\n\(problems.text)")
        }
        self.node = node
    }

    /// Place, time, key, headers and payload on one line.
    var line: String {
        var text = "\(node.text("topic"))/\(node.text("partition")) @\(node.text("offset"))"
        if let time = node["timestamp"]?.wholeNumber { text += "  \(LogOutput.utc(time))" }
        text += "  key \(key ?? "-")"
        for header in node["headers"]?.items ?? [] {
            text += "  \(header.text("name"))=\(header["value"]?.rawText ?? header.text("value_base64"))"
        }
        return text + "  " + String(decoding: payload, as: UTF8.self)
    }

    var key: String? { node["key"]?.rawText ?? node["key_base64"]?.rawText }

    /// The text of a header; nil if the record has none of that name.
    func header(_ name: String) -> String? {
        node["headers"]?.items.first { $0["name"]?.rawText == name }?["value"]?.rawText
    }

    /// A member of the record, `-` if it has none.
    func text(_ name: String) -> String { node.text(name) }

    /// The payload's bytes; JSON as the host's answer has it.
    var payload: [UInt8] {
        if let text = node["payload_text"]?.rawText { return Array(text.utf8) }
        if let text = node["payload_base64"]?.rawText, let bytes = Base64.decode(text) {
            return bytes.withUnsafeBytes { Array($0) }
        }
        return node["payload"].map { JSONWriter.bytes($0) } ?? []
    }
}
