extension String: ConfigValue {
    /// Plain text: `$${` stands for `${`, and a template is a problem. Use ``ConfigText`` for text that is compiled later.
    public static func decode(_ input: ConfigInput) -> String? { input.plainText() }
    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: String { "" }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .string }
    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? { .string(self) }
}

extension Bool: ConfigValue {
    /// Decodes a value or reports why not; see ``ConfigValue/decode(_:)``.
    public static func decode(_ input: ConfigInput) -> Bool? {
        if case .bool(let value) = input.scalar.kind { return value }
        input.reportWrongType(
            expected: "true or false",
            hint: input.quotesHint { if case .bool = $0.kind { true } else { false } })
        return nil
    }
    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: Bool { false }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .boolean }
    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? { .bool(self) }
}

extension Int64: ConfigValue {
    /// Decodes a value or reports why not; see ``ConfigValue/decode(_:)``.
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
    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: Int64 { 0 }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .integer }
    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? { .integer(self) }
}

extension Int: ConfigValue {
    /// Decodes a value or reports why not; see ``ConfigValue/decode(_:)``.
    public static func decode(_ input: ConfigInput) -> Int? { Int64.decode(input).map { Int($0) } }
    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: Int { 0 }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .integer }
    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? { .integer(Int64(self)) }
}

extension Double: ConfigValue {
    /// Decodes a value or reports why not; see ``ConfigValue/decode(_:)``.
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
    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: Double { 0 }
    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .number }
    /// nil for infinity, which a range may end with.
    public var configNode: JSONNode? { isFinite ? .number(self) : nil }
}
