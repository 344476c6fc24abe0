/// A JSON object: its members in the order in which they were written.
public struct JSONObject: Sendable {
    /// One key and its value.
    public struct Member: Sendable {
        /// The key, its escapes decoded.
        public var key: String
        /// Where the key begins.
        public var keyPosition: SourcePosition
        /// The value.
        public var value: JSONNode

        /// A member; without a position it counts as built in code.
        public init(key: String, keyPosition: SourcePosition = .none, value: JSONNode) {
            self.key = key
            self.keyPosition = keyPosition
            self.value = value
        }
    }

    /// All members in their order; keys differ.
    public var members: [Member]

    /// An object of these members, whose keys must differ.
    public init(members: [Member] = []) {
        self.members = members
    }

    /// All keys in their order.
    public var keys: [String] { members.map(\.key) }

    /// The member with this key; a search through all members.
    public func member(_ key: String) -> Member? {
        members.first { $0.key == key }
    }

    /// The value of this key; setting one that is not there appends it.
    public subscript(key: String) -> JSONNode? {
        get { member(key)?.value }
        set {
            let index = members.firstIndex { $0.key == key }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(key: key, value: value))
            case (nil, nil): break
            }
        }
    }
}
