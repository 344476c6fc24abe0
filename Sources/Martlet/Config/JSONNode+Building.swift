extension JSONNode {
    public static var null: JSONNode { JSONNode(.null) }

    public static func bool(_ value: Bool) -> JSONNode {
        JSONNode(.bool(value))
    }

    public static func integer(_ value: Int64) -> JSONNode {
        JSONNode(.number(JSONNumber(value)))
    }

    /// - Precondition: `value` is finite.
    public static func number(_ value: Double) -> JSONNode {
        JSONNode(.number(JSONNumber(value)))
    }

    public static func string(_ value: String) -> JSONNode {
        JSONNode(.string(value))
    }

    public static func array(_ items: [JSONNode]) -> JSONNode {
        JSONNode(.array(items))
    }

    /// An object with its members in this order.
    public static func object(_ members: [(String, JSONNode)]) -> JSONNode {
        JSONNode(.object(JSONObject(members: members.map { JSONObject.Member(key: $0.0, value: $0.1) })))
    }
}

extension JSONNode: ExpressibleByStringInterpolation {
    public init(stringLiteral value: String) {
        self.init(.string(value))
    }
}

extension JSONNode: ExpressibleByBooleanLiteral {
    public init(booleanLiteral value: Bool) {
        self.init(.bool(value))
    }
}

extension JSONNode: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int64) {
        self.init(.number(JSONNumber(value)))
    }
}

extension JSONNode: ExpressibleByFloatLiteral {
    public init(floatLiteral value: Double) {
        self.init(.number(JSONNumber(value)))
    }
}

extension JSONNode: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: JSONNode...) {
        self.init(.array(elements))
    }
}

extension JSONNode: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, JSONNode)...) {
        self = .object(elements)
    }
}
