extension JSONNode {
    /// The value null.
    public static var null: JSONNode { JSONNode(.null) }

    /// A boolean built in code.
    public static func bool(_ value: Bool) -> JSONNode {
        JSONNode(.bool(value))
    }

    /// A whole number built in code.
    public static func integer(_ value: Int64) -> JSONNode {
        JSONNode(.number(JSONNumber(value)))
    }

    /// - Precondition: `value` is finite.
    public static func number(_ value: Double) -> JSONNode {
        JSONNode(.number(JSONNumber(value)))
    }

    /// A string built in code, as template source.
    public static func string(_ value: String) -> JSONNode {
        JSONNode(.string(value))
    }

    /// A list built in code.
    public static func array(_ items: [JSONNode]) -> JSONNode {
        JSONNode(.array(items))
    }

    /// An object with its members in this order.
    public static func object(_ members: [(String, JSONNode)]) -> JSONNode {
        JSONNode(.object(JSONObject(members: members.map { JSONObject.Member(key: $0.0, value: $0.1) })))
    }
}

extension JSONNode: ExpressibleByStringInterpolation {
    /// A value from a literal in code.
    public init(stringLiteral value: String) {
        self.init(.string(value))
    }
}

extension JSONNode: ExpressibleByBooleanLiteral {
    /// A boolean from a literal in code.
    public init(booleanLiteral value: Bool) {
        self.init(.bool(value))
    }
}

extension JSONNode: ExpressibleByIntegerLiteral {
    /// A number from a literal in code.
    public init(integerLiteral value: Int64) {
        self.init(.number(JSONNumber(value)))
    }
}

extension JSONNode: ExpressibleByFloatLiteral {
    /// A number from a literal in code; it must be finite.
    public init(floatLiteral value: Double) {
        self.init(.number(JSONNumber(value)))
    }
}

extension JSONNode: ExpressibleByArrayLiteral {
    /// A list from a literal in code.
    public init(arrayLiteral elements: JSONNode...) {
        self.init(.array(elements))
    }
}

extension JSONNode: ExpressibleByDictionaryLiteral {
    /// An object from a literal in code, its members in their order.
    public init(dictionaryLiteral elements: (String, JSONNode)...) {
        self = .object(elements)
    }
}
