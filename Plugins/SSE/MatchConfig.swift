public import Martlet

/// The block `match`.
public struct MatchConfig: ModuleConfig {
    /// Over the record; `${@key}` where streams resume.
    public let message: ConfigText
    /// Over the request.
    public let connection: ConfigText

    public init(from fields: inout ConfigFields) {
        message = fields.required("message", "A template over the record.", example: "${@key}")
        connection = fields.required("connection", "A template over the request.", example: "${@path.user}")
    }
}
