/// `enum OnConflict: String, CaseIterable, ConfigValue { case fail, ignore }` is a field with two choices.
extension ConfigValue where Self: CaseIterable & RawRepresentable, RawValue == String {
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

    public static var placeholder: Self {
        guard let first = allCases.first else { preconditionFailure("\(Self.self) declares no choices") }
        return first
    }

    public static func shape(_ context: ShapeContext) -> ConfigShape { .choice(allCases.map(\.rawValue)) }

    public var configNode: JSONNode? { .string(rawValue) }
}
