/// A JSON object: its members in the order in which they were written.
public struct JSONObject: Sendable {
    /// One key and its value.
    public struct Member: Sendable {
        public var key: String
        public var keyPosition: SourcePosition
        public var value: JSONNode

        public init(key: String, keyPosition: SourcePosition = .none, value: JSONNode) {
            self.key = key
            self.keyPosition = keyPosition
            self.value = value
        }
    }

    public var members: [Member]

    public init(members: [Member] = []) {
        self.members = members
    }

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
