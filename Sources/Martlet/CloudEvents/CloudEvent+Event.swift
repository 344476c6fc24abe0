/// Between CloudEvents and events.
extension CloudEvent {
    private static let prefix = "ce_"

    /// What a source hands on: payload, id, key (`partitionkey`, or else `subject`) and headers.
    ///
    /// - Parameter variables: of the request that brought it.
    public func input(variables: (any TemplateVariables)? = nil) -> SourceInput {
        var headers = [
            Header("ce_specversion", Bytes(Self.specVersion)), Header("ce_id", Bytes(id)), Header("ce_source", Bytes(source)),
            Header("ce_type", Bytes(type)),
        ]
        for attribute in attributes { headers.append(Header(Self.prefix + attribute.name, Bytes(attribute.value))) }
        if let contentType { headers.append(Header("content-type", Bytes(contentType))) }
        let key = self["partitionkey"] ?? self["subject"]
        return SourceInput(
            payload: data ?? "null", headers: headers, id: Bytes(id), key: key.map { Bytes($0) }, variables: variables)
    }

    /// The CloudEvent of an event. `time` is the event's timestamp if it has no header `ce_time`.
    ///
    /// - Parameters:
    ///   - source: for an event without a header `ce_source`.
    ///   - type: for an event without a header `ce_type`.
    public init(_ event: Event, source: String, type: String) {
        var attributes: [Attribute] = []
        var given: (source: String?, type: String?, contentType: String?)
        var hasTime = false
        for header in event.headers {
            if header.name.lowercased() == "content-type" { given.contentType = header.value.string }
            guard header.name.hasPrefix(Self.prefix) else { continue }
            let name = String(header.name.dropFirst(Self.prefix.count))
            switch name {
            case "id", "specversion", "datacontenttype", "data": continue
            case "source": given.source = header.value.string
            case "type": given.type = header.value.string
            default:
                guard Self.isName(name), !attributes.contains(where: { $0.name == name }) else { continue }
                if name == "time" { hasTime = true }
                attributes.append(Attribute(name, header.value.string))
            }
        }
        if !hasTime { attributes.append(Attribute("time", LogOutput.utc(event.timestamp))) }
        if let key = event.key, !attributes.contains(where: { $0.name == "partitionkey" || $0.name == "subject" }) {
            attributes.append(Attribute("partitionkey", key.string))
        }
        self.init(
            id: event.id.string, source: given.source ?? source, type: given.type ?? type, attributes: attributes,
            contentType: given.contentType, data: event.payload)
    }
}
