/// One value of the config on its way into a field.
public struct ConfigInput: Sendable {
    /// The value.
    public let node: JSONNode
    /// The way to the value from the top of the config.
    public let path: ConfigPath
    /// Where problems of the value are reported.
    public let problems: ConfigProblems

    /// An input for decoding by hand, as for a value inside a ``JSONNode``.
    public init(node: JSONNode, path: ConfigPath, problems: ConfigProblems) {
        self.node = node
        self.path = path
        self.problems = problems
    }

    /// Decodes the value as a type; nil if there was a problem, which then is reported.
    public func decode<Value: ConfigValue>(as type: Value.Type = Value.self) -> Value? {
        node.origin.isBroken ? nil : Value.decode(self)
    }

    /// Where the value stands.
    public var place: ConfigPlace { ConfigPlace(path: path, position: node.position) }

    /// Reports a problem of this value.
    public func report(
        _ message: String, code: ConfigProblem.Code = .invalid, found: String? = nil, suggestion: String? = nil,
        choices: ConfigProblem.Choices? = nil, hint: String? = nil
    ) {
        problems.report(code, at: place, message, found: found, suggestion: suggestion, choices: choices, hint: hint)
    }

    /// Reports a value of the wrong JSON type; `expected` with its article: "an integer".
    public func reportWrongType(expected: String, hint: String? = nil) {
        report("must be \(expected)", code: .wrongType, found: node.found, hint: hint)
    }

    /// The value as text that may hold templates; reports anything but a string.
    public func text(expected: String = "a string") -> ConfigText? {
        guard let text = ConfigText(node: node, path: path) else {
            reportWrongType(expected: expected)
            return nil
        }
        return text
    }

    /// The value as plain text; reports anything but a string, and a string that holds a template.
    public func plainText(expected: String = "a string") -> String? {
        guard let text = text(expected: expected) else { return nil }
        for placed in SubstitutionScanner.scan(text.source) {
            let body: String
            switch placed.piece {
            case .literal: continue
            case .expression(let expression): body = "${\(expression)}"
            case .unterminated(let rest): body = "${\(rest)"
            }
            let name = body.dropFirst(2).dropLast()
            let isVariable = !name.isEmpty && name.utf8.allSatisfy { SubstitutionScanner.isVariable($0) }
            problems.report(
                .unexpectedTemplate, at: text.place(atSourceOffset: placed.offset), "takes plain text, no template",
                found: "`\(clipped(body))`", suggestion: isVariable ? "`${env:\(name)}`" : nil,
                hint: "write $${ for a literal ${")
            return nil
        }
        return text.plain
    }

    /// The node that a number or boolean field reads: of a string that is one `${env:…}`, what its text means as JSON.
    var scalar: JSONNode {
        guard node.origin.isWholeSubstitution, let text = node.plainText,
            let parsed = JSONReader.read(text, problems: ConfigProblems(file: problems.file))
        else { return node }
        var scalar = node
        switch parsed.kind {
        case .number, .bool: scalar.kind = parsed.kind
        case .null, .string, .array, .object: break
        }
        return scalar
    }

    /// Says how to write a value that stands in quotes without need.
    func quotesHint(_ isMeant: (JSONNode) -> Bool) -> String? {
        guard case .string(let text) = node.kind, !node.isSecret,
            let parsed = JSONReader.read(text, problems: ConfigProblems(file: problems.file)), isMeant(parsed)
        else { return nil }
        return "write it without quotes: \(clipped(text))"
    }
}
