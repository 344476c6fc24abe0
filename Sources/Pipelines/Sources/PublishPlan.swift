import Martlet

/// How a source's inputs become events: the compiled block `publish`.
struct PublishPlan: Sendable {
    let destination: PublishDestination
    private let hasKey: Bool
    private let hasID: Bool
    private let headerNames: [String]
    /// Key, id, then the headers, as far as configured.
    private let fields: TemplateSet
    private let payload: PayloadTemplate?
    private let payloads: any PayloadReader
    private let maxEventBytes: Int
    private let schemas: TopicSchemas
    /// Whether the event needs columns of the save's `RETURNING`.
    let readsSavedColumns: Bool

    /// Nil if problems were reported.
    /// - Parameter maxEventBytes: what the log takes.
    init?(
        _ config: PublishConfig, to destination: PublishDestination, allowing kinds: Set<TemplateVariableKind>, maxEventBytes: Int,
        schemas: TopicSchemas, context: ModuleContext
    ) {
        let key = config.key.map { context.template($0, allowing: kinds) }
        let id = config.id.map { context.template($0, allowing: kinds) }
        let headers = config.headers.map { context.template($0.value, allowing: kinds) }
        let payload = config.payload.map { context.payloadTemplate($0, allowing: kinds) }
        let wanted = (key.map { [$0] } ?? []) + (id.map { [$0] } ?? []) + headers
        let templates = wanted.compactMap { $0 }
        if case .some(.none) = payload { return nil }
        guard templates.count == wanted.count else { return nil }
        self.destination = destination
        hasKey = key != nil
        hasID = id != nil
        headerNames = config.headers.keys
        fields = TemplateSet(templates)
        self.payload = payload ?? nil
        payloads = context.payloads
        self.maxEventBytes = maxEventBytes
        self.schemas = schemas
        let expressions = templates.flatMap(\.expressions) + (self.payload?.expressions ?? [])
        readsSavedColumns = expressions.contains { expression in
            if case .variable(.saved) = expression { true } else { false }
        }
    }

    /// Makes the event of one input. An input whose id template yields nothing is at fault, and so is one whose event
    /// the log would never take: in the outbox it would hold up all that come after it.
    func makeEvent(_ input: TemplateInput, at timestamp: Int64) throws(ModuleError) -> Event {
        let values = try fields.evaluate(input, with: payloads)
        var next = 0
        var key = input.key
        if hasKey {
            key = values[next].keyBytes
            next += 1
        }
        var id = input.id
        if hasID {
            id = values[next].keyBytes ?? .empty
            next += 1
        }
        if let id, !(1...255).contains(id.count) {
            let origin = hasID ? "`publish.id` yielded \(id.count)" : "the source gave \(id.count)"
            throw .permanent("publish.bad_id", "the event's id must have 1 to 255 bytes; \(origin)")
        }
        var headers = input.headers
        for (name, value) in zip(headerNames, values[next...]) {
            if let bytes = value.keyBytes { headers.append(Header(name, bytes)) }
        }
        let event = Event(
            id: id ?? EventID.generate(at: timestamp), key: key, headers: headers,
            payload: try payload?.render(input, with: payloads) ?? input.payload, timestamp: timestamp)
        guard event.byteCount <= maxEventBytes else {
            throw .permanent(
                "log.record_too_large",
                "the event has \(event.byteCount) bytes with its key and headers, and at most \(maxEventBytes) are taken "
                    + "(`log.max_record_bytes`); send less, or raise the limit")
        }
        if case .topic(let topic) = destination { try schemas.check(event, for: topic) }
        return event
    }
}

extension DataValue {
    /// The value's text as bytes; nil for null.
    fileprivate var keyBytes: Bytes? {
        switch self {
        case .null: nil
        case .bytes(let bytes): bytes
        case .text(let text), .json(let text): Bytes(text)
        case .bool(let value): Bytes(value ? "true" : "false")
        case .integer(let value): Bytes(String(value))
        case .double(let value): Bytes(String(value))
        }
    }
}
