extension String: ConfigValue {
    /// Plain text: `$${` stands for `${`, and a template is a problem. Use ``ConfigText`` for text that is compiled later.
    public static func decode(_ input: ConfigInput) -> String? { input.plainText() }
    public static var placeholder: String { "" }
    public static func shape(_ context: ShapeContext) -> ConfigShape { .string }
    public var configNode: JSONNode? { .string(self) }
}

extension Bool: ConfigValue {
    public static func decode(_ input: ConfigInput) -> Bool? {
        if case .bool(let value) = input.scalar.kind { return value }
        input.reportWrongType(
            expected: "true or false",
            hint: input.quotesHint { if case .bool = $0.kind { true } else { false } })
        return nil
    }
    public static var placeholder: Bool { false }
    public static func shape(_ context: ShapeContext) -> ConfigShape { .boolean }
    public var configNode: JSONNode? { .bool(self) }
}

extension Int64: ConfigValue {
    public static func decode(_ input: ConfigInput) -> Int64? {
        if case .number(let number) = input.scalar.kind {
            if let value = number.int64 { return value }
            let isTooLong = number.double.magnitude > 9_007_199_254_740_992
            input.report(
                isTooLong ? "must be an integer of 64 bits" : "must be an integer",
                code: isTooLong ? .outOfRange : .wrongType, found: input.node.found)
            return nil
        }
        input.reportWrongType(
            expected: "an integer",
            hint: input.quotesHint { if case .number = $0.kind { true } else { false } })
        return nil
    }
    public static var placeholder: Int64 { 0 }
    public static func shape(_ context: ShapeContext) -> ConfigShape { .integer }
    public var configNode: JSONNode? { .integer(self) }
}

extension Int: ConfigValue {
    public static func decode(_ input: ConfigInput) -> Int? { Int64.decode(input).map { Int($0) } }
    public static var placeholder: Int { 0 }
    public static func shape(_ context: ShapeContext) -> ConfigShape { .integer }
    public var configNode: JSONNode? { .integer(Int64(self)) }
}

extension Double: ConfigValue {
    public static func decode(_ input: ConfigInput) -> Double? {
        if case .number(let number) = input.scalar.kind {
            if number.double.isFinite { return number.double }
            input.report("must be a number that a double can hold", code: .outOfRange, found: input.node.found)
            return nil
        }
        input.reportWrongType(
            expected: "a number",
            hint: input.quotesHint { if case .number = $0.kind { true } else { false } })
        return nil
    }
    public static var placeholder: Double { 0 }
    public static func shape(_ context: ShapeContext) -> ConfigShape { .number }
    /// nil for infinity, which a range may end with.
    public var configNode: JSONNode? { isFinite ? .number(self) : nil }
}
