/// JSON of the config with templates in its strings, such as `publish.payload`: renders a payload for each record.
///
/// A string that is exactly one `${…}` becomes the value itself, whatever its type; other templates stay strings. Keys
/// are never templates. Everything constant is JSON text already; values are copied from the payload's own text.
public struct PayloadTemplate: Sendable {
    private enum Piece: Sendable {
        /// A range of `constants`.
        case constant(Range<Int>)
        /// A value in place of a string.
        case json(TemplateSource, default: TemplateDefault?)
        /// A value inside a string.
        case inside(TemplateSource, default: TemplateDefault?)
    }

    /// What the template looks up, in order.
    public let expressions: [TemplateExpression]
    private let constants: [UInt8]
    private let pieces: [Piece]
    private let lookup: PayloadLookup

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
        expressions = sections.compactMap { section in
            switch section {
            case .constant: nil
            case .json(let expression, _), .inside(let expression, _): expression
            }
        }
        let lookup = PayloadLookup(
            expressions.compactMap { if case .pointer(let pointer) = $0 { pointer } else { nil } })
        var constants: [UInt8] = []
        pieces = sections.map { section in
            switch section {
            case .constant(let bytes):
                constants += bytes
                return .constant(constants.count - bytes.count..<constants.count)
            case .json(let expression, let fallback):
                return .json(TemplateSource(expression, lookup), default: fallback)
            case .inside(let expression, let fallback):
                return .inside(TemplateSource(expression, lookup), default: fallback)
            }
        }
        self.constants = constants
        self.lookup = lookup
    }

    /// Renders the payload for one input. The input's payload is parsed once, and not at all if nothing looks into it.
    ///
    /// - Throws: a permanent ``ModuleError``: `template.bad_payload`, `template.missing_field` or
    ///   `template.missing_variable`.
    public func render(_ input: TemplateInput, with reader: any PayloadReader) throws(ModuleError) -> Bytes {
        try reader.withTemplateTokens(of: lookup, in: input.payload) { tokens throws(ModuleError) in
            var writer = PayloadWriter(capacity: constants.count + input.payload.count + 32 * pieces.count)
            for piece in pieces {
                switch piece {
                case .constant(let range):
                    constants.withUnsafeBytes { writer.append(UnsafeRawBufferPointer(rebasing: $0[range])) }
                case .json(let source, let fallback):
                    if writer.appendJSON(source, input, tokens) { continue }
                    guard let fallback else { throw .missing(source.expression) }
                    writer.append(fallback.json)
                case .inside(let source, let fallback):
                    if writer.appendInside(source, input, tokens) { continue }
                    guard let fallback else { throw .missing(source.expression) }
                    writer.appendEscaped(fallback.text)
                }
            }
            return writer.finish()
        }
    }
}

extension PayloadWriter {
    /// Appends a value as JSON; false if there is none.
    fileprivate mutating func appendJSON(
        _ source: TemplateSource, _ input: TemplateInput, _ tokens: UnsafeMutableBufferPointer<PayloadToken>
    ) -> Bool {
        switch source {
        case .token(let index, _):
            let token = tokens[index]
            if token.kind == .missing { return false }
            input.payload.withUnsafeBytes { payload in
                append(UnsafeRawBufferPointer(rebasing: payload[token.offset..<token.offset + token.count]))
            }
            return true
        case .variable(.id): return appendQuoted(input.id)
        case .variable(.key): return appendQuoted(input.key)
        case .variable(let variable):
            guard let value = input.value(of: variable) else { return false }
            var json: [UInt8] = []
            JSONText.append(value, to: &json)
            append(json)
            return true
        }
    }

    /// Appends a value inside a string; false if there is none.
    fileprivate mutating func appendInside(
        _ source: TemplateSource, _ input: TemplateInput, _ tokens: UnsafeMutableBufferPointer<PayloadToken>
    ) -> Bool {
        switch source {
        case .token(let index, _):
            let token = tokens[index]
            if token.kind == .missing { return false }
            let isNested = token.kind == .object || token.kind == .array
            input.payload.withUnsafeBytes { payload in
                let range = token.textRange
                let text = UnsafeRawBufferPointer(rebasing: payload[range])
                // The text of a string is escaped already.
                if isNested { appendEscaped(text) } else { append(text) }
            }
            return true
        case .variable(let variable):
            guard let value = input.value(of: variable) else { return false }
            appendEscaped(value.rendered)
            return true
        }
    }

    private mutating func appendQuoted(_ bytes: Bytes?) -> Bool {
        guard let bytes else { return false }
        append(UInt8(ascii: "\""))
        appendEscaped(bytes)
        append(UInt8(ascii: "\""))
        return true
    }
}
