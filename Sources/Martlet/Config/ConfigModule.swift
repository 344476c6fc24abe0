/// Names a kind of module at compile time, as the parameter of ``ConfigModule``.
public protocol ConfigModuleKind: Sendable {
    /// The kind in one word, as in documentation and the schema: `sink`.
    static var kindName: String { get }
}

/// A field that holds a module: an object whose `type` names it. The module's own keys are decoded later, by its config.
public struct ConfigModule<Kind: ConfigModuleKind>: ConfigValue {
    /// The value of `type`.
    public let type: String
    /// The `type` with its place.
    public let typeText: ConfigText
    /// The whole object.
    public let node: JSONNode
    /// The way to the object from the top of the config.
    public let path: ConfigPath

    /// Where the object stands.
    public var place: ConfigPlace { ConfigPlace(path: path, position: node.position) }

    /// Decodes a value or reports why not; see ``ConfigValue/decode(_:)``.
    public static func decode(_ input: ConfigInput) -> ConfigModule? {
        guard case .object(let object) = input.node.kind else {
            input.reportWrongType(expected: "an object with a `type`, a \(Kind.kindName)")
            return nil
        }
        guard let member = object.member("type") else {
            input.report("missing required key `type`, which names the \(Kind.kindName)", code: .missingKey)
            return nil
        }
        let typeInput = ConfigInput(node: member.value, path: input.path.appending("type"), problems: input.problems)
        guard let type = typeInput.decode(as: String.self), let typeText = typeInput.text() else { return nil }
        return ConfigModule(type: type, typeText: typeText, node: input.node, path: input.path)
    }

    /// Reports that no module of this kind goes by the type's name.
    public func reportUnknownType(among types: [String], problems: ConfigProblems) {
        problems.reportUnknown(
            "\(Kind.kindName) type", typeText, code: .unknownModule, among: types, title: "valid types")
    }

    /// Decodes the module's own config from its object.
    ///
    /// - Parameter reserved: the platform's keys in such an object, `type` among them.
    public func config<Config: ModuleConfig>(
        _ type: Config.Type, reserved: [String], problems: ConfigProblems
    ) -> Config? {
        Config.decode(node, path: path, problems: problems, keys: .strict(reserved: reserved))
    }

    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: ConfigModule {
        ConfigModule(type: "", typeText: "", node: .object([]), path: .root)
    }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .module(Kind.kindName) }
}
