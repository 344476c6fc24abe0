/// All that is known of one field of a config, gathered from its declaration.
public struct FieldDescription: Sendable {
    /// The key.
    public let name: String
    /// One sentence for the user.
    public let summary: String
    /// What the field holds.
    public let shape: ConfigShape
    /// Whether the key must be there.
    public let isRequired: Bool
    /// The value that holds when the key is left out; nil if that has no value.
    public let defaultValue: JSONNode?
    /// The values allowed of a number.
    public let range: ConfigRange?
    /// A sensible value.
    public let example: JSONNode?

    /// Describes a field; a ``ModuleConfig`` gathers its descriptions by itself.
    public init(
        name: String, summary: String, shape: ConfigShape, isRequired: Bool, defaultValue: JSONNode? = nil,
        range: ConfigRange? = nil, example: JSONNode? = nil
    ) {
        self.name = name
        self.summary = summary
        self.shape = shape
        self.isRequired = isRequired
        self.defaultValue = defaultValue
        self.range = range
        self.example = example
    }

    /// The unit that the key's suffix names.
    public var unit: FieldUnit? { FieldUnit(key: name) }

    /// The type's name for people.
    public var typeName: String { shape.typeName }

    /// The words that the field takes, if it takes only certain ones.
    public var choices: [String] { shape.choices }

    /// The description for `--json`.
    public var json: JSONNode {
        var members: [(String, JSONNode)] = [
            ("name", .string(name)), ("type", .string(typeName)), ("required", .bool(isRequired)),
        ]
        if let unit { members.append(("unit", .string(unit.rawValue))) }
        if let defaultValue { members.append(("default", defaultValue)) }
        if let range {
            members.append(("minimum", JSONNode(.number(range.minimum))))
            if let maximum = range.maximum { members.append(("maximum", JSONNode(.number(maximum)))) }
        }
        if !choices.isEmpty { members.append(("choices", .array(choices.map { .string($0) }))) }
        members.append(("description", .string(summary)))
        if let example { members.append(("example", example)) }
        let nested = fields
        if !nested.isEmpty { members.append(("fields", .array(nested.map(\.json)))) }
        return .object(members)
    }

    /// The fields of the object that this field holds, or that its list or map holds.
    public var fields: [FieldDescription] {
        var shape = shape.underlying
        while true {
            switch shape {
            case .object(let fields), .objectOrModule(let fields, _): return fields
            case .list(let item), .map(let item): shape = item.underlying
            default: return []
            }
        }
    }
}
