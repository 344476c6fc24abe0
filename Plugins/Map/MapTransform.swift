package import Martlet

/// Builds a new event out of each record with templates.
///
/// Whatever the config does not name stays: payload, key, other headers, id and timestamp. A record that lacks a field which a
/// template needs is its own permanent error.
///
/// Lifecycle: decode, validate (compiles the templates), apply. Nothing is opened or closed; `apply` does not suspend.
package struct MapTransform: Transform {
    package static let name = "map"
    package static let summary = "Builds a new payload, key or headers with templates."

    package struct Config: ModuleConfig {
        let payload: ConfigObject?
        let key: ConfigText?
        let headers: ConfigMap<ConfigText>

        package init(from fields: inout ConfigFields) {
            payload = fields.optional(
                "payload", "The new payload; its strings are templates, and one that is exactly one `${…}` keeps the value's type.",
                example: ["recipient": "${/post_owner}", "text": "${/actor} liked your post"])
            key = fields.optional("key", "The new key, a template; JSON null leaves the record without one.", example: "${/post_owner}")
            headers = fields.optional(
                "headers", default: [:], "Headers to set, templates; JSON null removes the header.",
                example: ["actor": "${/actor}"])
            if payload == nil, key == nil, headers.isEmpty {
                fields.problem(at: "payload", with: ["key", "headers"], "a map needs at least one of `payload`, `key` and `headers`")
            }
        }
    }

    private let payload: PayloadTemplate?
    package var keepsKey: Bool { !hasKey }

    /// The key's template, if there is one, then the headers'.
    private let values: TemplateSet
    private let hasKey: Bool
    private let headerNames: [String]
    private let reader: any PayloadReader

    package init?(config: Config, context: ModuleContext) {
        let available: Set<TemplateVariableKind> = [.record, .header]
        let payload = config.payload.flatMap { context.payloadTemplate($0, allowing: available) }
        let key = config.key.flatMap { context.template($0, allowing: available) }
        let headers = context.templates(config.headers, allowing: available)
        let isComplete = (payload != nil || config.payload == nil) && (key != nil || config.key == nil)
        guard let headers, isComplete else { return nil }
        self.payload = payload
        values = TemplateSet((key.map { [$0] } ?? []) + headers.templates)
        hasKey = key != nil
        headerNames = config.headers.keys
        reader = context.payloads
    }

    package func apply(to batch: [Record]) async throws -> [TransformResult] {
        batch.map { record in
            do throws(ModuleError) {
                return .keep(try mapped(record))
            } catch {
                return .fail(error)
            }
        }
    }

    private func mapped(_ record: Record) throws(ModuleError) -> Record {
        let input = TemplateInput(record)
        var mapped = record
        if let payload { mapped.event.payload = try payload.render(input, with: reader) }
        if values.isEmpty { return mapped }
        let values = try values.evaluate(input, with: reader)
        if hasKey { mapped.event.key = values[0].keyBytes }
        for (name, value) in zip(headerNames, values.dropFirst(hasKey ? 1 : 0)) {
            mapped.event.headers.removeAll { $0.name == name }
            if let bytes = value.keyBytes { mapped.event.headers.append(Header(name, bytes)) }
        }
        return mapped
    }
}
