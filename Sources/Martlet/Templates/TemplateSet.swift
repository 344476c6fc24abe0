/// The templates of one module, evaluated together: the payload is parsed once for all of them, and not at all if none
/// looks into it.
public struct TemplateSet: Sendable {
    /// A template's shape, with pointers resolved to their tokens.
    private enum Compiled: Sendable {
        case constant(DataValue)
        case whole(TemplateSource, default: TemplateDefault?)
        case text([TextPart], TemplateEncoding)
    }

    private enum TextPart: Sendable {
        case literal(String)
        case value(TemplateSource, default: TemplateDefault?)
    }

    public let templates: [Template]
    private let compiled: [Compiled]
    private let lookup: PayloadLookup

    public init(_ templates: [Template]) {
        let lookup = PayloadLookup(templates.flatMap(\.pointers))
        self.templates = templates
        self.lookup = lookup
        compiled = templates.map { template in
            if let constant = template.constant { return .constant(.text(constant)) }
            let parts = template.parts.map { part -> TextPart in
                switch part {
                case .literal(let text): .literal(text)
                case .value(let expression, let fallback): .value(TemplateSource(expression, lookup), default: fallback)
                }
            }
            if template.encoding == .plain, parts.count == 1, case .value(let source, let fallback) = parts[0] {
                return .whole(source, default: fallback)
            }
            return .text(parts, template.encoding)
        }
    }

    public var count: Int { templates.count }
    public var isEmpty: Bool { templates.isEmpty }

    /// Whether evaluating reads the payload.
    public var readsPayload: Bool { lookup.count > 0 }

    /// One value for each template, in their order.
    ///
    /// - Throws: a permanent ``ModuleError``: `template.bad_payload`, `template.missing_field`,
    ///   `template.missing_variable`, `template.bad_url_segment` or `template.bad_header_value`.
    public func evaluate(_ input: TemplateInput, with reader: any PayloadReader) throws(ModuleError) -> [DataValue] {
        var values: [DataValue] = []
        values.reserveCapacity(templates.count)
        try evaluate(input, with: reader, into: &values)
        return values
    }

    /// Appends one value for each template to `values`; after an error some may have been appended.
    public func evaluate(
        _ input: TemplateInput, with reader: any PayloadReader, into values: inout [DataValue]
    ) throws(ModuleError) {
        try reader.withTemplateTokens(of: lookup, in: input.payload) { tokens throws(ModuleError) in
            for template in compiled {
                switch template {
                case .constant(let value):
                    values.append(value)
                case .whole(let source, let fallback):
                    guard let value = source.value(input, tokens) ?? fallback?.value else {
                        throw .missing(source.expression)
                    }
                    values.append(value)
                case .text(let parts, let encoding):
                    values.append(.text(try text(parts, encoding, input, tokens)))
                }
            }
        }
    }

    private func text(
        _ parts: [TextPart], _ encoding: TemplateEncoding, _ input: TemplateInput,
        _ tokens: UnsafeMutableBufferPointer<PayloadToken>
    ) throws(ModuleError) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal):
                text += literal
            case .value(let source, let fallback):
                guard let value = source.text(input, tokens) ?? fallback?.text else { throw .missing(source.expression) }
                text += try encoding.encode(value, of: source.expression)
            }
        }
        return text
    }
}
