import Martlet

/// What the parts of a `sqlite` database need to know of its config.
struct SQLiteSettings: Sendable {
    /// The database's name in the config.
    let name: String
    let path: String
    let schema: [SchemaStep]
    let isFullySynchronous: Bool
    let busyTimeoutMilliseconds: Int
    let cacheBytes: Int
    let queryTimeoutMilliseconds: Int

    init(name: String, path: String, config: SQLiteConfig) {
        self.name = name
        self.path = path
        schema = config.schema
        isFullySynchronous = config.synchronous == .full
        busyTimeoutMilliseconds = config.busyTimeoutMilliseconds
        cacheBytes = config.cacheBytes
        queryTimeoutMilliseconds = config.queryTimeoutMilliseconds
    }
}
