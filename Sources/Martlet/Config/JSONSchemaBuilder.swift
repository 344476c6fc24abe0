/// Turns field descriptions into a JSON Schema (draft 2020-12), with which an editor completes and checks a config.
///
/// Numbers, booleans and choices may also be written as one `${env:…}` or `${file:…}`, so the schema allows that.
package struct JSONSchemaBuilder: Sendable {
    private let kinds: [ModuleKindDescription]

    /// - Parameter kinds: the modules that fields of shape ``ConfigShape/module(_:)`` can hold.
    package init(kinds: [ModuleKindDescription] = []) {
        self.kinds = kinds
    }

    /// The schema of a whole config with these fields at its top.
    package func document(title: String, fields: [FieldDescription]) -> JSONNode {
        var members: [(String, JSONNode)] = [
            ("$schema", "https://json-schema.org/draft/2020-12/schema"), ("title", .string(title)),
        ]
        members += objectMembers(fields)
        let definitions = kinds.flatMap(definitions)
        if !definitions.isEmpty { members.append(("$defs", .object(definitions))) }
        return .object(members)
    }

    /// The schema of an object with these fields and no others.
    package func object(_ fields: [FieldDescription]) -> JSONNode {
        .object(objectMembers(fields))
    }

    /// The schema of a value.
    package func value(_ shape: ConfigShape) -> JSONNode {
        switch shape {
        case .string: ["type": "string"]
        case .boolean: orSubstitution([("type", "boolean")])
        case .integer: orSubstitution([("type", "integer")])
        case .number: orSubstitution([("type", "number")])
        case .choice(let words): orSubstitution([("enum", .array(words.map { .string($0) }))])
        case .list(let item): ["type": "array", "items": value(item)]
        case .map(let item): ["type": "object", "additionalProperties": value(item)]
        case .object(let fields): object(fields)
        case .objectOrModule(let fields, let kind): objectOrModule(fields, kind)
        case .anyObject: ["type": "object"]
        case .any: .object([])
        case .module(let kind): reference(kind)
        case .named(_, let underlying): value(underlying)
        }
    }

    /// The fields' schema, but the module's where `type` names one.
    private func objectOrModule(_ fields: [FieldDescription], _ kind: String) -> JSONNode {
        let modules = kinds.first { $0.kindName == kind }?.modules.map(\.name) ?? []
        guard !modules.isEmpty else { return object(fields) }
        let own = fields.first { $0.name == "type" }?.choices ?? []
        return [
            "type": "object", "properties": ["type": value(.choice(own + modules))],
            "if": ["properties": ["type": ["enum": .array(modules.map { .string($0) })]], "required": ["type"]],
            "then": reference(kind), "else": object(fields),
        ]
    }

    private func objectMembers(_ fields: [FieldDescription]) -> [(String, JSONNode)] {
        var properties = fields.map { ($0.name, property($0)) }
        for key in ModuleConfigKeys.everywhere where !fields.contains(where: { $0.name == key }) {
            properties.append((key, ["type": "string"]))
        }
        var members: [(String, JSONNode)] = [("type", "object"), ("properties", .object(properties))]
        let required = fields.filter(\.isRequired)
        if !required.isEmpty { members.append(("required", .array(required.map { .string($0.name) }))) }
        members.append(("additionalProperties", false))
        return members
    }

    private func property(_ field: FieldDescription) -> JSONNode {
        var members: [(String, JSONNode)] = [("description", .string(field.summary))]
        var schema = value(field.shape)
        if let range = field.range {
            var limits: [(String, JSONNode)] = [
                ("type", field.shape.isInteger ? "integer" : "number"), ("minimum", JSONNode(.number(range.minimum))),
            ]
            if let maximum = range.maximum { limits.append(("maximum", JSONNode(.number(maximum)))) }
            schema = orSubstitution(limits)
        }
        if case .object(let object) = schema.kind { members += object.members.map { ($0.key, $0.value) } }
        if let defaultValue = field.defaultValue { members.append(("default", defaultValue)) }
        if let example = field.example { members.append(("examples", [example])) }
        return .object(members)
    }

    /// A schema that a string which is one substitution meets too.
    private func orSubstitution(_ schema: [(String, JSONNode)]) -> JSONNode {
        ["anyOf": [.object(schema), ["type": "string", "pattern": #"^\$\{(env|file):.*\}$"#]]]
    }

    private func reference(_ name: String) -> JSONNode {
        guard kinds.contains(where: { $0.kindName == name }) else { return ["type": "object", "required": ["type"]] }
        return ["$ref": "#/$defs/\(name)"]
    }

    /// The definition of a kind, which looks at `type`, and one for each of its modules.
    private func definitions(_ kind: ModuleKindDescription) -> [(String, JSONNode)] {
        let names = kind.modules.map { JSONNode.string($0.name) }
        let branches = kind.modules.map { module -> JSONNode in
            [
                "if": ["properties": ["type": ["const": .string(module.name)]], "required": ["type"]],
                "then": ["$ref": "#/$defs/\(kind.kindName).\(module.name)"],
            ]
        }
        var dispatcher: [(String, JSONNode)] = [
            ("type", "object"), ("required", ["type"]), ("properties", ["type": ["enum": .array(names)]]),
        ]
        if !branches.isEmpty { dispatcher.append(("allOf", .array(branches))) }
        let modules = kind.modules.map { module -> (String, JSONNode) in
            let type = FieldDescription(
                name: "type", summary: module.summary, shape: .string, isRequired: true,
                example: .string(module.name))
            let own = module.fields.filter { $0.name != "type" }
            let shared = kind.sharedFields.filter { field in field.name != "type" && !own.contains { $0.name == field.name } }
            var schema = object([type] + own + shared)
            schema.set(["const": .string(module.name), "description": .string(module.summary)], at: ["properties", "type"])
            return ("\(kind.kindName).\(module.name)", schema)
        }
        return [(kind.kindName, .object(dispatcher))] + modules
    }
}

extension ConfigShape {
    fileprivate var isInteger: Bool {
        if case .integer = underlying { true } else { false }
    }
}

extension JSONNode {
    fileprivate mutating func set(_ value: JSONNode, at path: [String]) {
        guard let key = path.first, case .object(var object) = kind else {
            self = value
            return
        }
        var child = object[key] ?? .object([])
        child.set(value, at: Array(path.dropFirst()))
        object[key] = child
        kind = .object(object)
    }
}
