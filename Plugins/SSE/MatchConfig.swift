public import Martlet

/// The block `match`.
public struct MatchConfig: ModuleConfig {
    /// Over the record; `${@key}` where streams resume.
    public let message: ConfigText
    /// Over the request.
    public let connection: ConfigText
    public let claim: String?
    public let maxRecipients: Int

    public init(from fields: inout ConfigFields) {
        message = fields.required("message", "A template over the record.", example: "${@key}")
        connection = fields.required("connection", "A template over the request.", example: "${@path.user}")
        claim = fields.optional(
            "claim", "With `auth`: the caller's claim that `connection` must be, or be one of; else the answer is 403.",
            example: "sub")
        maxRecipients = fields.optional(
            "max_recipients", default: 1, in: 1...100,
            "How many texts, separated by commas, `connection` may yield: the connection gets the messages of each.")
    }
}
