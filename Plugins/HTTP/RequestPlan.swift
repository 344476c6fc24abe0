import Martlet

/// The requests of a sink, compiled.
struct RequestPlan: Sendable {
    /// For messages: scheme and host of the URL.
    let host: String
    private let method: String
    /// The URL, then the headers.
    private let templates: TemplateSet
    private let headerNames: [String]
    private let body: PayloadTemplate?
    private let cloudEvents: HTTPSinkConfig.CloudEvents
    private let source: String
    private let type: String
    private let timeout: Duration
    private let payloads: any PayloadReader

    /// Nil if problems were reported.
    init?(_ config: HTTPSinkConfig, _ context: ModuleContext) {
        let url = context.template(config.url, allowing: [.record, .header], encoding: .urlSegment)
        let headers = context.templates(config.headers, allowing: [.record, .header], encoding: .headerValue)
        let body = config.body.map { context.payloadTemplate($0, allowing: [.record, .header]) }
        if case .some(.none) = body { return nil }
        guard let url, let headers else { return nil }
        guard let host = Self.host(of: url) else {
            context.problem(
                at: config.url.place, "must begin with http:// or https:// and a host that stands in the config; values of records may follow behind the host's `/`")
            return nil
        }
        self.host = host
        method = config.method.rawValue
        templates = TemplateSet([url] + headers.templates)
        headerNames = config.headers.keys
        self.body = body ?? nil
        cloudEvents = config.cloudEvents
        source = config.cloudEventSource
        type = config.cloudEventType
        timeout = .milliseconds(config.timeoutMilliseconds)
        payloads = context.payloads
    }

    func request(for record: Record) throws(ModuleError) -> OutgoingRequest {
        let input = TemplateInput(record)
        let values = try templates.evaluate(input, with: payloads).map(\.rendered)
        var headers = Array(zip(headerNames, values.dropFirst())).map { (name: $0.0, value: $0.1) }
        var payload = try body?.render(input, with: payloads) ?? record.event.payload
        var type = record.event.header("content-type")?.string ?? "application/json"
        switch cloudEvents {
        case .none:
            break
        case .binary:
            let event = CloudEvent(record.event, source: source, type: self.type)
            for header in event.binaryHeaders where header.name != "Content-Type" { headers.append(header) }
        case .structured:
            let event = CloudEvent(record.event, source: source, type: self.type)
            payload = event.structured(with: payloads)
            type = CloudEvent.structuredType + "; charset=utf-8"
        }
        if body != nil { type = "application/json" }
        if !headers.contains(where: { $0.name.lowercased() == "content-type" }) { headers.append((name: "Content-Type", value: type)) }
        // Answers are read for their status only.
        return OutgoingRequest(
            method, values[0], headers: headers, body: payload, timeout: timeout, bodyLimit: 4096, longBody: .truncate)
    }

    /// Scheme and host, if they are constant.
    private static func host(of url: Template) -> String? {
        guard case .literal(let text)? = url.parts.first else { return nil }
        for scheme in ["http://", "https://"] where text.lowercased().hasPrefix(scheme) {
            let rest = text.dropFirst(scheme.count)
            let host = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
            guard !host.isEmpty, host.count < rest.count || url.parts.count == 1 else { return nil }
            // A password in the URL stays out of messages.
            return scheme + (host.split(separator: "@").last ?? host)
        }
        return nil
    }
}
