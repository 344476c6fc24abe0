/// Reads the inside of one `${…}`.
struct TemplateParser {
    let allowed: Set<TemplateVariableKind>

    private static let recordVariables: [(name: String, variable: TemplateVariable)] = [
        ("id", .id), ("key", .key), ("topic", .topic), ("partition", .partition), ("offset", .offset),
        ("timestamp", .timestamp),
    ]

    /// - Parameters:
    ///   - body: the text between the braces.
    ///   - offset: where the `${` stands.
    func parse(_ body: String, at offset: Int) throws(TemplateProblem) -> (TemplateExpression, TemplateDefault?) {
        let written = "${\(body)}"
        let parts = body.split(separator: ":-", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        let fallback = parts.count > 1 ? TemplateDefault(String(parts[1])) : nil
        if name.hasPrefix("/") {
            guard let pointer = JSONPointer(name) else {
                throw .syntax(
                    "`\(written)` is no JSON Pointer: `~` must be followed by 0 (a tilde) or 1 (a slash)", written,
                    at: offset)
            }
            return (.pointer(pointer), fallback)
        }
        guard name.hasPrefix("@") else { throw notAnExpression(name, written, at: offset) }
        if name == "@payload" { return (.wholePayload, fallback) }
        return (.variable(try variable(String(name.dropFirst()), written, at: offset)), fallback)
    }

    private func variable(_ name: String, _ written: String, at offset: Int) throws(TemplateProblem) -> TemplateVariable {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let group = String(parts[0])
        let member = parts.count > 1 ? String(parts[1]) : nil
        let variable: TemplateVariable
        switch (TemplateVariableKind(rawValue: group), member) {
        case (.header?, let member?) where !member.isEmpty: variable = .header(member)
        case (.path?, let member?) where !member.isEmpty: variable = .path(member)
        case (.query?, let member?) where !member.isEmpty: variable = .query(member)
        case (.claim?, let member?) where !member.isEmpty: variable = .claim(member)
        case (.saved?, let member?) where !member.isEmpty: variable = .saved(member)
        case (let kind?, _) where kind != .record:
            throw .syntax("`\(written)` names no \(group); expected `${@\(group).NAME}`", written, at: offset)
        default:
            guard member == nil, let known = Self.recordVariables.first(where: { $0.name == group }) else {
                throw unknown(group, written, at: offset)
            }
            variable = known.variable
        }
        guard allowed.contains(variable.kind) else {
            throw TemplateProblem(
                code: "template.not_available",
                message: "`\(written)` has no value here; valid here: \(choices)",
                expression: written, offset: offset)
        }
        return variable
    }

    private func unknown(_ name: String, _ written: String, at offset: Int) -> TemplateProblem {
        let names = allowed.contains(.record) ? Self.recordVariables.map(\.name) : []
        let groups = TemplateVariableKind.allCases.filter { $0 != .record && allowed.contains($0) }.map(\.rawValue)
        let nearest = Suggestion.nearest(to: name, among: names + ["payload"] + groups)
        let meant = nearest.map { groups.contains($0) ? "${@\($0).NAME}" : "${@\($0)}" }
        return TemplateProblem(
            code: "template.unknown_variable",
            message: "`\(written)` is no variable\(Self.hint(meant)); valid here: \(choices)", expression: written,
            offset: offset)
    }

    private func notAnExpression(_ name: String, _ written: String, at offset: Int) -> TemplateProblem {
        let isName = !name.isEmpty && name.utf8.allSatisfy { SubstitutionScanner.isVariable($0) || $0 == UInt8(ascii: "-") }
        let isEnvironment = isName && name == name.uppercased()
        let meant = isEnvironment ? "${env:\(name)}" : isName ? "${/\(name)}" : nil
        return .syntax(
            "`\(written)` is no template\(Self.hint(meant)); valid here: \(choices); write `$${` for a literal `${`",
            written, at: offset)
    }

    private static func hint(_ meant: String?) -> String {
        meant.map { " (did you mean `\($0)`?)" } ?? ""
    }

    /// What may stand here, as it is written.
    private var choices: String {
        var choices = ["`${/field}`", "`${@payload}`"]
        if allowed.contains(.record) { choices += Self.recordVariables.map { "`${@\($0.name)}`" } }
        for kind in TemplateVariableKind.allCases where kind != .record && allowed.contains(kind) {
            choices.append("`${@\(kind.rawValue).NAME}`")
        }
        return choices.joined(separator: ", ")
    }
}
