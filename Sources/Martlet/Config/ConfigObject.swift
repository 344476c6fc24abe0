/// An object with any content, kept as it is: a `body_schema`, headers of a foreign system.
public struct ConfigObject: ConfigValue, ExpressibleByDictionaryLiteral {
    /// The object; its strings are template source, and ``JSONNode/plain`` resolves their escapes.
    public let node: JSONNode
    public let object: JSONObject
    public let path: ConfigPath

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

    public var place: ConfigPlace { ConfigPlace(path: path, position: node.position) }

    /// The object as JSON text, escapes resolved, for code that parses it itself.
    public var jsonText: String { JSONWriter.text(node.plain) }

    public static var placeholder: ConfigObject { [:] }
    public static func shape(_ context: ShapeContext) -> ConfigShape { .anyObject }
    public var configNode: JSONNode? { node }
}

extension JSONNode: ConfigValue {
    /// Any JSON; the strings are template source, and ``plain`` resolves their escapes.
    public static func decode(_ input: ConfigInput) -> JSONNode? { input.node }
    public static var placeholder: JSONNode { .null }
    public static func shape(_ context: ShapeContext) -> ConfigShape { .any }
    public var configNode: JSONNode? { self }
}
