/// The templates of one module, evaluated together: the payload is parsed once for all of them, and not at all if none
/// looks into it.
public struct TemplateSet: Sendable {
    /// A template's shape; trivial to copy, what is not stands in tables.
    private enum Compiled: Sendable {
        /// An index of `constants`.
        case constant(Int)
        case whole(TemplateSource)
        /// A range of `parts`.
        case text(from: Int, to: Int, TemplateEncoding)
    }

    private enum TextPart: Sendable {
        /// An index of `constants`.
        case constant(Int)
        case value(TemplateSource)
    }

    /// In the order of the values.
    public let templates: [Template]
    private let compiled: [Compiled]
    private let parts: [TextPart]
    private let constants: [String]
    private let sources: TemplateSources

    /// Prepares templates for evaluating them together, in this order.
    public init(_ templates: [Template]) {
        var sources = TemplateSources(templates.flatMap(\.pointers))
        var constants: [String] = []
        var parts: [TextPart] = []
        func constant(_ text: String) -> Int {
            constants.append(text)
            return constants.count - 1
        }
        compiled = templates.map { template in
            if let text = template.constant { return .constant(constant(text)) }
            if template.encoding == .plain, template.parts.count == 1, case .value(let expression, let fallback) = template.parts[0] {
                return .whole(sources.add(expression, default: fallback))
            }
            let start = parts.count
            for part in template.parts {
                switch part {
                case .literal(let text): parts.append(.constant(constant(text)))
                case .value(let expression, let fallback): parts.append(.value(sources.add(expression, default: fallback)))
                }
            }
            return .text(from: start, to: parts.count, template.encoding)
        }
        self.templates = templates
        self.parts = parts
        self.constants = constants
        self.sources = sources
    }

    /// How many values an evaluation yields.
    public var count: Int { templates.count }
    /// Whether there is nothing to evaluate.
    public var isEmpty: Bool { templates.isEmpty }

    /// Whether evaluating reads the payload.
    public var readsPayload: Bool { sources.lookup.count > 0 }

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
        try sources.withTokens(of: input.payload, with: reader) { tokens throws(ModuleError) in
            for template in compiled {
                switch template {
                case .constant(let index):
                    values.append(.text(constants[index]))
                case .whole(let source):
                    if let value = sources.value(of: source, input, tokens) {
                        values.append(value)
                    } else {
                        values.append(try sources.fallback(of: source).value)
                    }
                case .text(let start, let end, let encoding):
                    values.append(.text(try text(parts[start..<end], encoding, input, tokens)))
                }
            }
        }
    }

    private func text(
        _ parts: ArraySlice<TextPart>, _ encoding: TemplateEncoding, _ input: TemplateInput,
        _ tokens: UnsafeMutableBufferPointer<PayloadToken>
    ) throws(ModuleError) -> String {
        var text = ""
        for part in parts {
            switch part {
            case .constant(let index):
                text += constants[index]
            case .value(let source):
                let value: String
                if let present = sources.text(of: source, input, tokens) {
                    value = present
                } else {
                    value = try sources.fallback(of: source).text
                }
                text += try encoding.encode(value, of: source, in: sources)
            }
        }
        return text
    }
}
