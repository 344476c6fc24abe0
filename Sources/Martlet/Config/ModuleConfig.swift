/// The config of a module, or any object with declared fields inside one.
///
/// ```swift
/// struct TableSinkConfig: ModuleConfig {
///     let table: String
///     let batchEvents: Int
///
///     init(from fields: inout ConfigFields) {
///         table = fields.required("table", "The table that rows are written to.", example: "notifications")
///         batchEvents = fields.optional("batch_events", default: 500, in: 1...10_000, "Records written in one transaction.")
///     }
/// }
/// ```
///
/// `init(from:)` must declare the same fields each time, whatever their values: it also runs to describe them. It must
/// not open files or connections. Unknown keys are reported; `$schema` and `description` are allowed in every object.
public protocol ModuleConfig: ConfigValue {
    init(from fields: inout ConfigFields)
}

extension ModuleConfig {
    /// Decodes an object and reports everything that is wrong with it.
    ///
    /// - Parameters:
    ///   - node: the object, as ``JSONReader`` or a ``ConfigModule`` gave it.
    ///   - keys: what happens to keys that are not declared; see ``ConfigFields/Keys``.
    /// - Returns: nil if there was any problem.
    public static func decode(
        _ node: JSONNode, path: ConfigPath, problems: ConfigProblems, keys: ConfigFields.Keys = .strict(reserved: [])
    ) -> Self? {
        guard let (config, refusedKeys) = decodeFields(node, path, problems, keys) else { return nil }
        return refusedKeys.isEmpty ? config : nil
    }

    /// Decodes an object as if what was refused of it had been left out, and reports nothing. What comes of it never runs: it
    /// is good for finding what else is wrong in the same object.
    ///
    /// - Returns: nil if nothing was refused, or if there is no config without it.
    static func decodeRest(_ node: JSONNode, path: ConfigPath, keys: ConfigFields.Keys) -> Self? {
        let unread = ConfigProblems(file: "")
        guard case .object(let object) = node.kind, let (_, refusedKeys) = decodeFields(node, path, unread, keys), !refusedKeys.isEmpty
        else { return nil }
        var rest = node
        rest.kind = .object(JSONObject(members: object.members.filter { !refusedKeys.contains($0.key) }))
        return decode(rest, path: path, problems: unread, keys: keys)
    }

    /// Decodes an object and reports what is wrong with it, but goes on with placeholders, so that rules across its
    /// blocks can be checked in the same run. The caller throws the result away if there were problems.
    ///
    /// - Returns: nil only if the node is no object.
    package static func decodePartially(
        _ node: JSONNode, path: ConfigPath, problems: ConfigProblems, keys: ConfigFields.Keys = .strict(reserved: [])
    ) -> Self? {
        decodeFields(node, path, problems, keys)?.config
    }

    private static func decodeFields(
        _ node: JSONNode, _ path: ConfigPath, _ problems: ConfigProblems, _ keys: ConfigFields.Keys
    ) -> (config: Self, refusedKeys: Set<String>)? {
        let input = ConfigInput(node: node, path: path, problems: problems)
        guard case .object(let object) = node.kind else {
            input.reportWrongType(expected: "an object")
            return nil
        }
        var fields = ConfigFields(object, place: input.place, problems: problems)
        let config = Self(from: &fields)
        fields.finish(keys)
        return (config, fields.refusedKeys)
    }

    /// The declared fields in their order.
    public static func describe() -> [FieldDescription] {
        describe(ShapeContext())
    }

    /// Decodes JSON text, for tests and examples: `try TableSinkConfig(json: #"{"table": "likes"}"#)`.
    ///
    /// - Throws: ``ConfigError`` with every problem.
    public init(json: String, file: String = "config.json", reserved: [String] = []) throws(ConfigError) {
        let problems = ConfigProblems(file: file)
        let config = JSONReader.read(json, problems: problems).flatMap {
            Self.decode($0, path: .root, problems: problems, keys: .strict(reserved: reserved))
        }
        try problems.throwIfAny()
        guard let config else { throw ConfigError(problems: problems.sorted) }
        self = config
    }

    static func describe(_ context: ShapeContext) -> [FieldDescription] {
        guard let inside = context.inside(Self.self) else { return [] }
        var fields = ConfigFields(context: inside)
        _ = Self(from: &fields)
        return fields.descriptions
    }
}

extension ModuleConfig {
    /// Decodes an object, with placeholders for what has problems; see ``ConfigValue/decode(_:)``.
    public static func decode(_ input: ConfigInput) -> Self? {
        decodePartially(input.node, path: input.path, problems: input.problems)
    }

    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: Self {
        var fields = ConfigFields(context: ShapeContext())
        return Self(from: &fields)
    }

    /// A type inside itself is described as an object with any content.
    public static func shape(_ context: ShapeContext) -> ConfigShape {
        context.inside(Self.self) == nil ? .anyObject : .object(describe(context))
    }
}
