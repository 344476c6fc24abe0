extension Array: ConfigValue where Element: ConfigValue {
    /// Decodes a value or reports why not; see ``ConfigValue/decode(_:)``.
    public static func decode(_ input: ConfigInput) -> [Element]? {
        guard case .array(let items) = input.node.kind else {
            input.reportWrongType(expected: "a list")
            return nil
        }
        let values = items.enumerated().map { index, item in
            ConfigInput(node: item, path: input.path.appending(index), problems: input.problems)
                .decode(as: Element.self)
        }
        let good = values.compactMap { $0 }
        return good.count == values.count ? good : nil
    }

    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: [Element] { [] }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .list(Element.shape(context)) }

    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? {
        let nodes = compactMap(\.configNode)
        return nodes.count == count ? .array(nodes) : nil
    }
}
