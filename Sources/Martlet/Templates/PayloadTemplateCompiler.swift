/// Turns JSON with templates into constant JSON text and the values between.
struct PayloadTemplateCompiler {
    enum Section {
        case constant([UInt8])
        case json(TemplateExpression, default: TemplateDefault?)
        case inside(TemplateExpression, default: TemplateDefault?)
    }

    let allowed: Set<TemplateVariableKind>
    let report: (ConfigText, TemplateProblem) -> Void
    private(set) var hasFailed = false
    private var sections: [Section] = []
    private var constant: [UInt8] = []

    init(allowed: Set<TemplateVariableKind>, report: @escaping (ConfigText, TemplateProblem) -> Void) {
        self.allowed = allowed
        self.report = report
    }

    mutating func finish() -> [Section] {
        flush()
        return sections
    }

    mutating func add(_ node: JSONNode, path: ConfigPath) {
        switch node.kind {
        case .null, .bool, .number:
            constant += JSONWriter.bytes(node)
        case .string:
            if let text = ConfigText(node: node, path: path) { add(text) }
        case .array(let items):
            constant.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { constant.append(UInt8(ascii: ",")) }
                add(item, path: path.appending(index))
            }
            constant.append(UInt8(ascii: "]"))
        case .object(let object):
            constant.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { constant.append(UInt8(ascii: ",")) }
                JSONText.appendQuoted(member.key, to: &constant)
                constant.append(UInt8(ascii: ":"))
                add(member.value, path: path.appending(member.key))
            }
            constant.append(UInt8(ascii: "}"))
        }
    }

    private mutating func add(_ text: ConfigText) {
        let template: Template
        do throws(TemplateProblem) {
            template = try Template.compile(text, allowing: allowed)
        } catch {
            report(text, error)
            hasFailed = true
            return
        }
        if template.parts.count == 1, case .value(let expression, let fallback) = template.parts[0] {
            flush()
            sections.append(.json(expression, default: fallback))
            return
        }
        constant.append(UInt8(ascii: "\""))
        for part in template.parts {
            switch part {
            case .literal(let literal):
                var quoted: [UInt8] = []
                JSONText.appendQuoted(literal, to: &quoted)
                constant += quoted.dropFirst().dropLast()
            case .value(let expression, let fallback):
                flush()
                sections.append(.inside(expression, default: fallback))
            }
        }
        constant.append(UInt8(ascii: "\""))
    }

    private mutating func flush() {
        if !constant.isEmpty { sections.append(.constant(constant)) }
        constant = []
    }
}
