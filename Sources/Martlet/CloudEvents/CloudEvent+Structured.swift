/// The JSON event format: attributes and data in one object, `application/cloudevents+json`, or several in an array,
/// `application/cloudevents-batch+json`.
extension CloudEvent {
    /// The media type of one event.
    public static let structuredType = "application/cloudevents+json"
    /// The media type of an array of events.
    public static let batchType = "application/cloudevents-batch+json"

    /// Reads an object of the JSON format.
    ///
    /// - Parameter json: checked JSON, as a ``PayloadReader`` does it.
    /// - Throws: what is wrong, with its JSON Pointer.
    public init(structured json: Bytes) throws(CloudEventProblem) {
        guard json.withUnsafeBytes({ $0.first { $0 > 0x20 } }) == UInt8(ascii: "{") else {
            throw CloudEventProblem("must be an object", at: "")
        }
        var fields: [Attribute] = []
        var contentType: String?
        var data: Bytes?
        var encoded: String?
        for member in JSONMembers(of: json) {
            switch member.key {
            case "data": data = member.value
            case "data_base64":
                encoded = try Self.text(member.value, at: member.key)
            case "datacontenttype":
                contentType = try Self.optionalText(member.value, at: member.key)
            default:
                guard CloudEvent.isName(member.key) else {
                    throw CloudEventProblem("attributes are named by lower-case letters and digits", at: "/" + member.key)
                }
                if let value = try Self.optionalText(member.value, at: member.key) { fields.append(Attribute(member.key, value)) }
            }
        }
        if let encoded {
            guard data == nil else { throw CloudEventProblem("stands beside data; only one of the two may", at: "/data_base64") }
            guard let bytes = Base64.decode(encoded) else { throw CloudEventProblem("is no base64", at: "/data_base64") }
            data = bytes
        }
        try self.init(fields: fields, contentType: contentType, data: data, place: { "/" + $0 })
        // Data of another kind than JSON that is written as a string is the string's content.
        if encoded == nil, !isJSON, let value = data, let text = JSONText.string(value) { self.data = Bytes(text) }
    }

    /// The event in the JSON format.
    ///
    /// - Parameter payloads: tells whether the data is JSON; what is not becomes `data_base64`.
    public func structured(with payloads: any PayloadReader) -> Bytes {
        var text: [UInt8] = []
        text.reserveCapacity(256 + (data?.count ?? 0))
        func member(_ name: String, _ value: String) {
            text.append(text.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            JSONText.appendQuoted(name, to: &text)
            text.append(UInt8(ascii: ":"))
            JSONText.appendQuoted(value, to: &text)
        }
        member("specversion", Self.specVersion)
        member("id", id)
        member("source", source)
        member("type", type)
        for attribute in attributes { member(attribute.name, attribute.value) }
        if let contentType { member("datacontenttype", contentType) }
        if let data {
            if isJSON, (try? payloads.check(data)) != nil {
                text += ",\"data\":".utf8
                data.withUnsafeBytes { text.append(contentsOf: $0) }
            } else {
                member("data_base64", Base64.encode(data))
            }
        }
        text.append(UInt8(ascii: "}"))
        return Bytes(text)
    }

    private static func text(_ value: Bytes, at name: String) throws(CloudEventProblem) -> String {
        guard let text = try optionalText(value, at: name) else { throw CloudEventProblem("must be a string", at: "/" + name) }
        return text
    }

    /// Attributes are strings, booleans or whole numbers; null is as if it were not there.
    private static func optionalText(_ value: Bytes, at name: String) throws(CloudEventProblem) -> String? {
        if let text = JSONText.string(value) { return text }
        let text = value.string
        if text == "null" { return nil }
        if text == "true" || text == "false" || Int32(text) != nil { return text }
        throw CloudEventProblem("must be a string, a boolean or a whole number of 32 bits", at: "/" + name)
    }
}
