/// `enum OnConflict: String, CaseIterable, ConfigValue { case fail, ignore }` is a field with two choices.
extension ConfigValue where Self: CaseIterable & RawRepresentable, RawValue == String {
    /// Decodes a value or reports why not; see ``ConfigValue/decode(_:)``.
    public static func decode(_ input: ConfigInput) -> Self? {
        let words = allCases.map(\.rawValue)
        guard let word = input.plainText(expected: "one of \(words.map { "\"\($0)\"" }.joined(separator: ", "))")
        else { return nil }
        if let value = Self(rawValue: word) { return value }
        input.report(
            input.node.isSecret ? "unknown value (hidden)" : "unknown value \(JSONWriter.quoted(clipped(word)))",
            code: .unknownValue,
            suggestion: input.node.isSecret ? nil : Suggestion.nearest(to: word, among: words).map { "\"\($0)\"" },
            choices: ConfigProblem.Choices("valid values", words.map { "\"\($0)\"" }))
        return nil
    }

    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: Self {
        guard let first = allCases.first else { preconditionFailure("\(Self.self) declares no choices") }
        return first
    }

    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .choice(allCases.map(\.rawValue)) }

    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? { .string(rawValue) }
}
