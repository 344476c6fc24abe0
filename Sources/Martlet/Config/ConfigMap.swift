/// An object with free keys and values of one type, in the order of the file: `columns`, `topics`, `headers`.
public struct ConfigMap<Value: ConfigValue>: ConfigValue, RandomAccessCollection, ExpressibleByDictionaryLiteral {
    /// One key and its value.
    public struct Entry: Sendable {
        public let key: String
        /// Where the key stands, to report a problem of the name.
        public let keyPlace: ConfigPlace
        public let value: Value
    }

    public let entries: [Entry]
    /// Where the map itself stands.
    public let place: ConfigPlace

    public init(entries: [Entry], place: ConfigPlace) {
        self.entries = entries
        self.place = place
    }

    /// A map built in code, for defaults and examples.
    public init(dictionaryLiteral elements: (String, Value)...) {
        let nowhere = ConfigPlace(path: .root, position: .none)
        self.init(entries: elements.map { Entry(key: $0.0, keyPlace: nowhere, value: $0.1) }, place: nowhere)
    }

    public static func decode(_ input: ConfigInput) -> ConfigMap? {
        guard case .object(let object) = input.node.kind else {
            input.reportWrongType(expected: "an object")
            return nil
        }
        let entries = object.members.compactMap { member -> Entry? in
            let path = input.path.appending(member.key)
            let memberInput = ConfigInput(node: member.value, path: path, problems: input.problems)
            return memberInput.decode(as: Value.self).map { value in
                Entry(key: member.key, keyPlace: ConfigPlace(path: path, position: member.keyPosition), value: value)
            }
        }
        return entries.count == object.members.count ? ConfigMap(entries: entries, place: input.place) : nil
    }

    public static var placeholder: ConfigMap { [:] }
    public static func shape(_ context: ShapeContext) -> ConfigShape { .map(Value.shape(context)) }

    public var configNode: JSONNode? {
        let members = entries.compactMap { entry in entry.value.configNode.map { (entry.key, $0) } }
        return members.count == entries.count ? .object(members) : nil
    }

    public var startIndex: Int { entries.startIndex }
    public var endIndex: Int { entries.endIndex }
    public subscript(position: Int) -> Entry { entries[position] }

    public var keys: [String] { entries.map(\.key) }

    /// The value of this key; a search through all entries.
    public subscript(key: String) -> Value? {
        entries.first { $0.key == key }?.value
    }
}
