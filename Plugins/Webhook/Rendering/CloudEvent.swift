import Martlet

/// An event's attributes as CloudEvents 1.0 has them, in its HTTP protocol binding.
struct CloudEvent {
    private static let digits = [UInt8]("0123456789ABCDEF".utf8)

    let id: String
    let source: String
    let type: String
    let milliseconds: Int64
    /// The extension `partitionkey`.
    let key: Bytes?

    private var attributes: [(name: String, value: String)] {
        var attributes = [
            (name: "specversion", value: "1.0"), (name: "id", value: id), (name: "source", value: source),
            (name: "type", value: type), (name: "time", value: LogOutput.utc(milliseconds)),
        ]
        if let key { attributes.append(("partitionkey", key.string)) }
        return attributes
    }

    /// Binary mode: attributes as headers, percent-encoded as the binding says (3.1.3.2).
    var headers: [(name: String, value: String)] {
        attributes.map { ("ce-" + $0.name, Self.encoded($0.value)) }
    }

    /// Structured mode: an envelope in the JSON format, the body inside as it is, or in base64 if it is no JSON.
    func envelope(of body: Bytes, isJSON: Bool) -> Bytes {
        var text = [UInt8(ascii: "{")]
        for attribute in attributes {
            JSONText.appendQuoted(attribute.name, to: &text)
            text.append(UInt8(ascii: ":"))
            JSONText.appendQuoted(attribute.value, to: &text)
            text.append(UInt8(ascii: ","))
        }
        if isJSON {
            text += "\"datacontenttype\":\"application/json\",\"data\":".utf8
            body.withUnsafeBytes { text += $0 }
        } else {
            text += "\"datacontenttype\":\"application/octet-stream\",\"data_base64\":\"\(Base64.encode(body))\"".utf8
        }
        text.append(UInt8(ascii: "}"))
        return Bytes(text)
    }

    private static func encoded(_ value: String) -> String {
        var output: [UInt8] = []
        for byte in value.utf8 {
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "%") {
                output.append(byte)
            } else {
                output += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
