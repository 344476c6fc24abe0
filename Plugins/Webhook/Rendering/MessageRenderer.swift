import Martlet

/// Makes what is sent of a record, for all endpoints that have the same templates.
struct MessageRenderer: Sendable {
    private let source: String
    private let content: MessageConfig.Content
    private let eventType: TemplateSet
    /// The headers' values.
    private let templates: TemplateSet
    private let headerNames: [String]
    private let body: PayloadTemplate?
    private let payloads: any PayloadReader

    /// Headers that the channel writes itself.
    private static let reserved: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "webhook-id", "webhook-timestamp", "webhook-signature",
    ]

    /// Reports all problems; nil if there was any.
    ///
    /// - Parameter fallback: the channel's, for what an endpoint leaves out.
    init?(_ config: MessageConfig, else fallback: MessageConfig? = nil, context: ModuleContext) {
        let headers = Self.merged(config.headers, fallback?.headers)
        let bodyConfig = config.body ?? fallback?.body
        let type = config.eventType ?? fallback?.eventType ?? "${@topic}"
        var templates = [context.template(type, allowing: [.record, .header], encoding: .headerValue)]
        templates += headers.map { context.template($0.value, allowing: [.record, .header], encoding: .headerValue) }
        let good = templates.compactMap { $0 }
        var isGood = good.count == templates.count
        for header in headers {
            if let problem = Self.problem(ofHeader: header.key) {
                context.problem(at: header.keyPlace, problem)
                isGood = false
            }
        }
        var body: PayloadTemplate?
        if let bodyConfig {
            body = context.payloadTemplate(bodyConfig, allowing: [.record, .header])
            if body == nil { isGood = false }
        }
        guard isGood else { return nil }
        source = config.source == MessageConfig.standardSource ? fallback?.source ?? config.source : config.source
        content = config.content ?? fallback?.content ?? .payload
        eventType = TemplateSet([good[0]])
        self.templates = TemplateSet(Array(good[1...]))
        headerNames = headers.map(\.key)
        self.body = body
        payloads = context.payloads
    }

    private static func merged(
        _ own: ConfigMap<ConfigText>, _ fallback: ConfigMap<ConfigText>?
    ) -> [ConfigMap<ConfigText>.Entry] {
        let names = Set(own.keys.map { $0.lowercased() })
        return own.entries + (fallback?.entries ?? []).filter { !names.contains($0.key.lowercased()) }
    }

    private static func problem(ofHeader name: String) -> String? {
        if reserved.contains(name.lowercased()) { return "the header `\(name)` is written by the channel itself" }
        let isName = !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
        return isName ? nil : "`\(name)` is no name of a header"
    }

    /// The type of the event that a record is.
    ///
    /// - Throws: a permanent error if the template does not fit the record.
    func eventType(of record: Record) throws(ModuleError) -> String {
        try eventType.evaluate(TemplateInput(record), with: payloads).first?.rendered ?? ""
    }

    /// - Throws: a permanent error if the templates do not fit the record, or its id cannot stand in a header.
    func render(_ record: Record, as type: String) throws(ModuleError) -> RenderedMessage {
        let input = TemplateInput(record)
        let values = try templates.evaluate(input, with: payloads).map(\.rendered)
        let id = try id(of: record)
        var content = try body?.render(input, with: payloads) ?? record.event.payload
        var headers = zip(headerNames, values).map { (name: $0, value: $1) }
        func addContentType(_ type: String) {
            if !headerNames.contains(where: { $0.lowercased() == "content-type" }) { headers.append(("Content-Type", type)) }
        }
        let event = CloudEvent(id: id, source: source, type: type, milliseconds: record.event.timestamp, key: record.event.key)
        switch self.content {
        case .payload: addContentType(RenderedMessage.standardType)
        case .cloudEventsBinary:
            addContentType(RenderedMessage.standardType)
            headers += event.headers
        case .cloudEventsStructured:
            addContentType("application/cloudevents+json")
            content = event.envelope(of: content, isJSON: body != nil || isJSON(content))
        }
        return RenderedMessage(id: id, type: type, headers: headers, body: content)
    }

    private func id(of record: Record) throws(ModuleError) -> String {
        let id = record.event.id.string
        // Receivers take spaces around a header's value off, and then the signature does not hold.
        guard id.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }), id.utf8.first != 0x20, id.utf8.last != 0x20 else {
            throw .permanent(
                "webhook.bad_id",
                "the event's id \(JSONText.quoted(id)) has a control character, or a space at an end, which `webhook-id` cannot carry")
        }
        return record.index == 0 ? id : "\(id).\(record.index)"
    }

    private func isJSON(_ payload: Bytes) -> Bool {
        do throws(PayloadError) {
            try payloads.check(payload)
            return true
        } catch {
            return false
        }
    }
}
