/// A text of the config that holds `${…}`, compiled.
///
/// - `${/actor}` is a place in the payload (a JSON Pointer), `${@payload}` all of it; `${@id}`, `${@key}`, `${@topic}`,
///   `${@partition}`, `${@offset}`, `${@timestamp}`, `${@header.NAME}`, `${@path.NAME}`, `${@query.NAME}`,
///   `${@claim.NAME}` and `${@saved.NAME}` are variables, as far as the place offers them.
/// - A text that is exactly one `${…}` keeps the value's type. In other text a string is its content, a number its
///   digits, null `null`, an object or array its JSON.
/// - What is not there is the record's permanent error, unless `${/x:-default}` says otherwise; JSON null is there.
/// - `$${` is a literal `${`. Text that was put in for `${env:…}` is literal too.
///
/// Evaluated through a ``TemplateSet``.
public struct Template: Sendable {
    /// A piece of the text.
    public enum Part: Sendable, Hashable {
        case literal(String)
        case value(TemplateExpression, default: TemplateDefault?)
    }

    /// The pieces in order; no literal is empty, and no two follow each other.
    public let parts: [Part]
    /// How values are written into the text.
    public let encoding: TemplateEncoding

    /// Compiles a text.
    ///
    /// - Parameters:
    ///   - allowed: the groups of variables that have a value at this place.
    ///   - encoding: what the place asks of values.
    /// - Throws: the first problem.
    public static func compile(
        _ text: ConfigText, allowing allowed: Set<TemplateVariableKind>, encoding: TemplateEncoding = .plain
    ) throws(TemplateProblem) -> Template {
        let parser = TemplateParser(allowed: allowed)
        var parts: [Part] = []
        for placed in text.pieces {
            switch placed.piece {
            case .literal(let literal):
                parts.append(.literal(literal))
            case .expression(let body):
                let (expression, fallback) = try parser.parse(body, at: placed.offset)
                parts.append(.value(expression, default: fallback))
            case .unterminated(let rest):
                throw .syntax(
                    "`${\(clipped(rest))` has no closing `}`; write `$${` for a literal `${`", "${\(rest)",
                    at: placed.offset)
            }
        }
        return Template(parts: parts, encoding: encoding)
    }

    /// A template that is just this text.
    public static func literal(_ text: String) -> Template {
        Template(parts: text.isEmpty ? [] : [.literal(text)], encoding: .plain)
    }

    /// The text if there is nothing to evaluate.
    public var constant: String? {
        switch parts.first {
        case nil: ""
        case .literal(let text)? where parts.count == 1: text
        default: nil
        }
    }

    /// What the template is if it is exactly one `${…}` without a default.
    public var whole: TemplateExpression? {
        if parts.count == 1, case .value(let expression, nil) = parts[0] { expression } else { nil }
    }

    /// What the template looks up, in order.
    public var expressions: [TemplateExpression] {
        parts.compactMap { if case .value(let expression, _) = $0 { expression } else { nil } }
    }

    /// The places in the payload that the template looks up.
    public var pointers: [JSONPointer] {
        expressions.compactMap { if case .pointer(let pointer) = $0 { pointer } else { nil } }
    }
}
