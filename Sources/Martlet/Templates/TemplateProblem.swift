/// Why a text is no template.
public struct TemplateProblem: Error, Sendable, Hashable {
    /// A stable code: `template.syntax`, `template.unknown_variable` or `template.not_available`.
    public let code: String
    /// Which `${…}`, what is wrong with it, what would be right.
    public let message: String
    /// The `${…}` as it is written.
    public let expression: String
    /// Where it begins in the source of its ``ConfigText``, in UTF-8 bytes.
    public let offset: Int
}

extension TemplateProblem {
    static func syntax(_ message: String, _ expression: String, at offset: Int) -> TemplateProblem {
        TemplateProblem(code: "template.syntax", message: message, expression: expression, offset: offset)
    }
}
