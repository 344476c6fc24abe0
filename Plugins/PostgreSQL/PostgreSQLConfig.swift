public import Martlet

/// The config of a `postgres` database.
public struct PostgreSQLConfig: ModuleConfig {
    public let url: ConfigText
    public let schema: [SchemaStep]
    package let limits: DatabaseLimits
    public let connectTimeoutMilliseconds: Int
    public let statementTimeoutMilliseconds: Int

    public init(from fields: inout ConfigFields) {
        url = fields.required(
            "url", "Where the server is, as libpq takes it; a password comes through `${env:…}` or `${file:…}`.",
            example: "postgres://martlet:${env:DATABASE_PASSWORD}@db.example.com/app?sslmode=verify-full")
        schema = fields.optional("schema", default: [], "Steps that make the tables, each run once, in order.")
        limits = DatabaseLimits(from: &fields, readers: "Connections that run queries beside the one that writes.")
        connectTimeoutMilliseconds = fields.optional(
            "connect_timeout_ms", default: 5_000, in: 100...300_000, "How long to wait for a connection.")
        statementTimeoutMilliseconds = fields.optional(
            "statement_timeout_ms", default: 10_000, in: 1...3_600_000, "A statement that runs longer is stopped.")
    }
}
