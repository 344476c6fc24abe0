public import Martlet

/// The config of an `sql` sink.
public struct SQLSinkConfig: ModuleConfig {
    public let database: ConfigText
    public let sql: ConfigText
    public let parameters: ConfigMap<ConfigText>

    public init(from fields: inout ConfigFields) {
        database = fields.required("database", "The database, by its name under `databases`.", example: "main")
        sql = fields.required(
            "sql", "One statement, run for each record, with parameters written `:name`.",
            example: "UPDATE users SET unread = unread + 1 WHERE name = :recipient")
        parameters = fields.optional(
            "parameters", default: [:], "A template for each parameter of the statement.",
            example: ["recipient": "${/recipient}"])
    }
}
