/// An object with free keys and values of one type, in the order of the file: `columns`, `topics`, `headers`.
public struct ConfigMap<Value: ConfigValue>: ConfigValue, RandomAccessCollection, ExpressibleByDictionaryLiteral {
    /// One key and its value.
    public struct Entry: Sendable {
        /// The key as written.
        public let key: String
        /// Where the key stands, to report a problem of the name.
        public let keyPlace: ConfigPlace
        /// The decoded value.
        public let value: Value
    }

    /// All entries in the order of the file.
    public let entries: [Entry]
    /// Where the map itself stands.
    public let place: ConfigPlace

    /// A map of these entries, whose keys must differ.
    public init(entries: [Entry], place: ConfigPlace) {
        self.entries = entries
        self.place = place
    }

    /// A map built in code, for defaults and examples.
    public init(dictionaryLiteral elements: (String, Value)...) {
        let nowhere = ConfigPlace(path: .root, position: .none)
        self.init(entries: elements.map { Entry(key: $0.0, keyPlace: nowhere, value: $0.1) }, place: nowhere)
    }

    /// Decodes an object, without the entries that are no values at all; see ``ConfigValue/decode(_:)``.
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
        return ConfigMap(entries: entries, place: input.place)
    }

    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: ConfigMap { [:] }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .map(Value.shape(context)) }

    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? {
        let members = entries.compactMap { entry in entry.value.configNode.map { (entry.key, $0) } }
        return members.count == entries.count ? .object(members) : nil
    }

    /// 0, as the entries count from there.
    public var startIndex: Int { entries.startIndex }
    /// The number of entries.
    public var endIndex: Int { entries.endIndex }
    /// The entry at an index in the order of the file.
    public subscript(position: Int) -> Entry { entries[position] }

    /// All keys in the order of the file.
    public var keys: [String] { entries.map(\.key) }

    /// The value of this key; a search through all entries.
    public subscript(key: String) -> Value? {
        entries.first { $0.key == key }?.value
    }
}
