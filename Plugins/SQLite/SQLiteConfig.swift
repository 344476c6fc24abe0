public import Martlet

/// The config of a `sqlite` database.
public struct SQLiteConfig: ModuleConfig {
    /// What a commit waits for.
    public enum Synchronous: String, CaseIterable, ConfigValue {
        /// The disk: a commit survives a loss of power.
        case full
        /// The operating system: a loss of power can undo the last commits. A crash of the process undoes none.
        case normal
    }

    public let path: ConfigText
    public let schema: [SchemaStep]
    public let synchronous: Synchronous
    public let busyTimeoutMilliseconds: Int
    package let limits: DatabaseLimits
    public let cacheBytes: Int
    public let queryTimeoutMilliseconds: Int

    public init(from fields: inout ConfigFields) {
        path = fields.required("path", "The database file; its folder must exist.", example: "data/main.db")
        schema = fields.optional("schema", default: [], "Steps that make the tables, each run once, in order.")
        synchronous = fields.optional(
            "synchronous", default: .full,
            "`full`: a commit is on disk when it is answered. `normal`: a loss of power can undo the last commits.")
        busyTimeoutMilliseconds = fields.optional(
            "busy_timeout_ms", default: 5_000, in: 1...600_000, "How long to wait for another process that writes to the file.")
        limits = DatabaseLimits(from: &fields, readers: "Threads that run queries beside the writer.")
        cacheBytes = fields.optional(
            "cache_bytes", default: 16 << 20, in: 65_536...1 << 40, "Page cache of the writer, and of each reader.")
        queryTimeoutMilliseconds = fields.optional(
            "query_timeout_ms", default: 10_000, in: 1...3_600_000, "A statement that runs longer is stopped.")
    }
}
