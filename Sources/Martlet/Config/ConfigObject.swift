/// An object with any content, kept as it is: a `body_schema`, headers of a foreign system.
public struct ConfigObject: ConfigValue, ExpressibleByDictionaryLiteral {
    /// The object; its strings are template source, and ``JSONNode/plain`` resolves their escapes.
    public let node: JSONNode
    /// The object's members.
    public let object: JSONObject
    /// The way to the object from the top of the config.
    public let path: ConfigPath

    /// Decodes a value or reports why not; see ``ConfigValue/decode(_:)``.
    public static func decode(_ input: ConfigInput) -> ConfigObject? {
        guard case .object(let object) = input.node.kind else {
            input.reportWrongType(expected: "an object")
            return nil
        }
        return ConfigObject(node: input.node, object: object, path: input.path)
    }

    private init(node: JSONNode, object: JSONObject, path: ConfigPath) {
        self.node = node
        self.object = object
        self.path = path
    }

    /// An object built in code, for defaults and examples.
    public init(dictionaryLiteral elements: (String, JSONNode)...) {
        let object = JSONObject(members: elements.map { JSONObject.Member(key: $0.0, value: $0.1) })
        self.init(node: JSONNode(.object(object)), object: object, path: .root)
    }

    /// Where the object stands.
    public var place: ConfigPlace { ConfigPlace(path: path, position: node.position) }

    /// The object as JSON text, escapes resolved, for code that parses it itself.
    public var jsonText: String { JSONWriter.text(node.plain) }

    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: ConfigObject { [:] }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .anyObject }
    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? { node }
}

extension JSONNode: ConfigValue {
    /// Any JSON; the strings are template source, and ``plain`` resolves their escapes.
    public static func decode(_ input: ConfigInput) -> JSONNode? { input.node }
    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: JSONNode { .null }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .any }
    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? { self }
}
