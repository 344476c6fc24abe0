/// What a field holds, for documentation and the JSON Schema.
public indirect enum ConfigShape: Sendable {
    case string
    case boolean
    case integer
    case number
    /// One of these words.
    case choice([String])
    case list(ConfigShape)
    /// An object with free keys and values of one shape.
    case map(ConfigShape)
    /// An object with declared fields.
    case object([FieldDescription])
    /// An object with declared fields, unless its `type` names a module of this kind (`log`).
    case objectOrModule([FieldDescription], kind: String)
    /// An object with any content.
    case anyObject
    /// Any JSON value.
    case any
    /// A module of this kind (`sink`), which its `type` key names.
    case module(String)
    /// A shape that goes by a name of its own: `template`, `SQL`.
    case named(String, ConfigShape)

    /// The type's name for people: `list of string`, `sink`.
    public var typeName: String {
        switch self {
        case .string: "string"
        case .boolean: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .choice: "choice"
        case .list(let item): "list of \(item.typeName)"
        case .map(let value): "map of \(value.typeName)"
        case .object, .objectOrModule, .anyObject: "object"
        case .any: "any JSON"
        case .module(let kind): kind
        case .named(let name, _): name
        }
    }

    /// The shape without its name.
    public var underlying: ConfigShape {
        if case .named(_, let shape) = self { shape.underlying } else { self }
    }

    /// The words of a choice, also of a list or map of choices.
    public var choices: [String] {
        switch underlying {
        case .choice(let words): words
        case .list(let item), .map(let item): item.choices
        default: []
        }
    }
}
