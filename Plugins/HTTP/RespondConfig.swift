public import Martlet

/// The block `respond` of an HTTP source.
public struct RespondConfig: ModuleConfig {
    /// Nil keeps the status that the outcome has.
    public let status: Int?
    public let body: ConfigObject?

    public init(from fields: inout ConfigFields) {
        status = fields.optional("status", in: 200...299, "The status; by default 201 if saved, 202 if published.")
        body = fields.optional(
            "body", "The answer's JSON; its strings may be templates over the body, `${@id}` and `${@saved.NAME}`.",
            example: ["id": "${@id}"])
    }
}
