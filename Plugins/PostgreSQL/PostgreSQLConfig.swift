public import Martlet

/// The config of a `postgres` database.
public struct PostgreSQLConfig: ModuleConfig {
    public let url: ConfigText
    public let schema: [SchemaStep]
    public let readers: Int
    public let writeQueue: Int
    public let readQueue: Int
    public let connectTimeoutMilliseconds: Int
    public let statementTimeoutMilliseconds: Int

    public init(from fields: inout ConfigFields) {
        url = fields.required(
            "url", "Where the server is, as libpq takes it; a password comes through `${env:…}` or `${file:…}`.",
            example: "postgres://martlet:${env:DATABASE_PASSWORD}@db.example.com/app?sslmode=verify-full")
        schema = fields.optional("schema", default: [], "Steps that make the tables, each run once, in order.")
        readers = fields.optional(
            "readers", default: 2, in: 1...64, "Connections that run queries beside the one that writes.")
        writeQueue = fields.optional(
            "write_queue", default: 10_000, in: 1...1_000_000,
            "Transactions that may wait for the writer; more are refused for now.")
        readQueue = fields.optional(
            "read_queue", default: 1_000, in: 1...1_000_000, "Queries that may wait for a reader; more are refused for now.")
        connectTimeoutMilliseconds = fields.optional(
            "connect_timeout_ms", default: 5_000, in: 100...300_000, "How long to wait for a connection.")
        statementTimeoutMilliseconds = fields.optional(
            "statement_timeout_ms", default: 10_000, in: 1...3_600_000, "A statement that runs longer is stopped.")
    }
}
