extension Array: ConfigValue where Element: ConfigValue {
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

    public static var placeholder: [Element] { [] }
    public static func shape(_ context: ShapeContext) -> ConfigShape { .list(Element.shape(context)) }

    public var configNode: JSONNode? {
        let nodes = compactMap(\.configNode)
        return nodes.count == count ? .array(nodes) : nil
    }
}
