/// The binary content mode of the HTTP protocol binding: attributes in headers `ce-NAME`, the data as the body.
extension CloudEvent {
    /// Whether a request's headers say that it is one CloudEvent in the binary mode.
    public static func isBinary(_ headers: [(name: String, value: String)]) -> Bool {
        headers.contains { $0.name.lowercased() == "ce-specversion" }
    }

    /// Reads a request in the binary mode.
    ///
    /// - Throws: what is wrong, with the header's name as its place.
    public init(binary headers: [(name: String, value: String)], body: Bytes) throws(CloudEventProblem) {
        var fields: [Attribute] = []
        var contentType: String?
        for header in headers {
            let name = header.name.lowercased()
            if name == "content-type" { contentType = header.value }
            guard name.hasPrefix("ce-") else { continue }
            let attribute = String(name.dropFirst(3))
            guard Self.isName(attribute) else {
                throw CloudEventProblem("attributes are named by lower-case letters and digits", at: name)
            }
            guard !fields.contains(where: { $0.name == attribute }) else { throw CloudEventProblem("is there twice", at: name) }
            fields.append(Attribute(attribute, try Self.decode(header.value, of: name)))
        }
        try self.init(
            fields: fields, contentType: contentType, data: body.isEmpty ? nil : body, place: { "ce-" + $0 })
    }

    /// The headers of a request in the binary mode; the body is ``data``.
    public var binaryHeaders: [(name: String, value: String)] {
        var headers = [
            (name: "ce-specversion", value: Self.specVersion), (name: "ce-id", value: Self.encode(id)),
            (name: "ce-source", value: Self.encode(source)), (name: "ce-type", value: Self.encode(type)),
        ]
        for attribute in attributes { headers.append((name: "ce-" + attribute.name, value: Self.encode(attribute.value))) }
        if data != nil { headers.append((name: "Content-Type", value: contentType ?? "application/json")) }
        return headers
    }

    /// Checks what every mode has in common.
    ///
    /// - Parameter place: how the mode names the place of an attribute.
    init(
        fields: [Attribute], contentType: String?, data: Bytes?, place: (String) -> String
    ) throws(CloudEventProblem) {
        func required(_ name: String) throws(CloudEventProblem) -> String {
            guard let value = fields.first(where: { $0.name == name })?.value, !value.isEmpty else {
                throw CloudEventProblem("is missing: a CloudEvent has specversion, id, source and type, none empty", at: place(name))
            }
            return value
        }
        let version = try required("specversion")
        guard version == Self.specVersion else {
            throw CloudEventProblem("must be \"\(Self.specVersion)\", found \(JSONText.quoted(version))", at: place("specversion"))
        }
        let id = try required("id")
        guard id.utf8.count <= 255 else {
            throw CloudEventProblem("must have at most 255 bytes, found \(id.utf8.count)", at: place("id"))
        }
        let known: Set = ["specversion", "id", "source", "type", "datacontenttype"]
        self.init(
            id: id, source: try required("source"), type: try required("type"),
            attributes: fields.filter { !known.contains($0.name) }, contentType: contentType, data: data)
    }

    /// Section 3.1.3.2: what is no printable ASCII, and `"`, `%` and space, is percent-encoded as UTF-8.
    private static func encode(_ value: String) -> String {
        let digits = [UInt8]("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in value.utf8 {
            if byte > 0x20, byte < 0x7F, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "%") {
                text.append(byte)
            } else {
                text += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func decode(_ value: String, of name: String) throws(CloudEventProblem) -> String {
        guard value.utf8.contains(UInt8(ascii: "%")) else { return value }
        var text: [UInt8] = []
        var rest = Array(value.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let code = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                text.append(code)
                rest = rest.dropFirst(2)
            } else {
                text.append(byte)
            }
        }
        guard let decoded = String(validating: text, as: UTF8.self) else {
            throw CloudEventProblem("is not UTF-8 once its percent-encoding is resolved", at: name)
        }
        return decoded
    }
}
