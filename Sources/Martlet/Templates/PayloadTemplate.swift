/// JSON of the config with templates in its strings, such as `publish.payload`: renders a payload for each record.
///
/// A string that is exactly one `${…}` becomes the value itself, whatever its type; other templates stay strings. Keys
/// are never templates. Everything constant is JSON text already; values are copied from the payload's own text.
public struct PayloadTemplate: Sendable {
    private enum Piece: Sendable {
        /// A range of `constants`.
        case constant(from: Int, to: Int)
        /// A value in place of a string.
        case json(TemplateSource)
        /// A value inside a string.
        case inside(TemplateSource)
    }

    private let constants: [UInt8]
    private let pieces: [Piece]
    private let sources: TemplateSources

    /// What the template looks up, in order.
    public var expressions: [TemplateExpression] { sources.expressions }

    /// Compiles JSON.
    ///
    /// - Parameters:
    ///   - node: the JSON; its strings are template source.
    ///   - path: where it stands in the config.
    ///   - allowed: the groups of variables that have a value at this place.
    ///   - report: told each problem, with the string that it is in.
    /// - Returns: nil if there was a problem.
    public static func compile(
        _ node: JSONNode, path: ConfigPath, allowing allowed: Set<TemplateVariableKind>,
        report: (ConfigText, TemplateProblem) -> Void
    ) -> PayloadTemplate? {
        withoutActuallyEscaping(report) { report in
            var compiler = PayloadTemplateCompiler(allowed: allowed, report: report)
            compiler.add(node, path: path)
            return compiler.hasFailed ? nil : PayloadTemplate(compiler.finish())
        }
    }

    private init(_ sections: [PayloadTemplateCompiler.Section]) {
        let pointers = sections.compactMap { section -> JSONPointer? in
            switch section {
            case .json(.pointer(let pointer), _), .inside(.pointer(let pointer), _): pointer
            case .constant, .json, .inside: nil
            }
        }
        var sources = TemplateSources(pointers)
        var constants: [UInt8] = []
        pieces = sections.map { section in
            switch section {
            case .constant(let bytes):
                constants += bytes
                return .constant(from: constants.count - bytes.count, to: constants.count)
            case .json(let expression, let fallback):
                return .json(sources.add(expression, default: fallback))
            case .inside(let expression, let fallback):
                return .inside(sources.add(expression, default: fallback))
            }
        }
        self.constants = constants
        self.sources = sources
    }

    /// Renders the payload for one input. The input's payload is parsed once, and not at all if nothing looks into it.
    ///
    /// - Throws: a permanent ``ModuleError``: `template.bad_payload`, `template.missing_field` or
    ///   `template.missing_variable`.
    public func render(_ input: TemplateInput, with reader: any PayloadReader) throws(ModuleError) -> Bytes {
        try sources.withTokens(of: input.payload, with: reader) { tokens throws(ModuleError) in
            var writer = PayloadWriter(capacity: constants.count + input.payload.count + 32 * pieces.count)
            for piece in pieces {
                switch piece {
                case .constant(let start, let end):
                    constants.withUnsafeBytes { writer.append(UnsafeRawBufferPointer(rebasing: $0[start..<end])) }
                case .json(let source):
                    if writer.appendJSON(source, of: sources, input, tokens) { continue }
                    writer.append(try sources.fallback(of: source).json)
                case .inside(let source):
                    if writer.appendInside(source, of: sources, input, tokens) { continue }
                    writer.appendEscaped(try sources.fallback(of: source).text)
                }
            }
            return writer.finish()
        }
    }
}

extension PayloadWriter {
    /// Appends a value as JSON; false if there is none.
    fileprivate mutating func appendJSON(
        _ source: TemplateSource, of sources: TemplateSources, _ input: TemplateInput,
        _ tokens: UnsafeMutableBufferPointer<PayloadToken>
    ) -> Bool {
        switch source.place {
        case .token(let index):
            let token = tokens[index]
            if token.kind == .missing { return false }
            input.payload.withUnsafeBytes { payload in
                append(UnsafeRawBufferPointer(rebasing: payload[token.offset..<token.offset + token.count]))
            }
            return true
        case .id: return appendQuoted(input.id)
        case .key: return appendQuoted(input.key)
        default:
            guard let value = sources.value(of: source, input, tokens) else { return false }
            var json: [UInt8] = []
            JSONText.append(value, to: &json)
            append(json)
            return true
        }
    }

    /// Appends a value inside a string; false if there is none.
    fileprivate mutating func appendInside(
        _ source: TemplateSource, of sources: TemplateSources, _ input: TemplateInput,
        _ tokens: UnsafeMutableBufferPointer<PayloadToken>
    ) -> Bool {
        guard case .token(let index) = source.place else {
            guard let text = sources.text(of: source, input, tokens) else { return false }
            appendEscaped(text)
            return true
        }
        let token = tokens[index]
        if token.kind == .missing { return false }
        let isNested = token.kind == .object || token.kind == .array
        input.payload.withUnsafeBytes { payload in
            let text = UnsafeRawBufferPointer(rebasing: payload[token.textRange])
            // The text of a string is escaped already.
            if isNested { appendEscaped(text) } else { append(text) }
        }
        return true
    }

    private mutating func appendQuoted(_ bytes: Bytes?) -> Bool {
        guard let bytes else { return false }
        append(UInt8(ascii: "\""))
        appendEscaped(bytes)
        append(UInt8(ascii: "\""))
        return true
    }
}
