import Martlet

/// Sorts what the server or the connection says into what trying again can help with.
enum RedisFailure {
    /// An error reply, such as `NOPERM this user has no permissions to run the 'publish' command`.
    static func reply(_ text: String, doing what: String, at endpoint: RedisEndpoint) -> ModuleError {
        let message = "Redis at \(endpoint) refuses \(what): \(text)"
        switch text.prefix(while: { $0 != " " }) {
        case "WRONGPASS", "NOAUTH":
            return .blocked("redis.login", message + "; set `user` and `password` of the bus as the server has them")
        case "NOPERM":
            return .blocked("redis.permission", message + "; let the user do that (ACL SETUSER with +@pubsub and &channels)")
        case "DENIED":
            return .blocked("redis.denied", message)
        case "ERR" where text.hasPrefix("ERR max number of clients"):
            return .transient("redis.too_many_clients", message)
        case "ERR" where text.contains("password"):
            return .blocked("redis.login", message + "; set `user` and `password` of the bus as the server has them")
        case "ERR":
            return .blocked("redis.refused", message)
        default:
            // LOADING, BUSY, MASTERDOWN, READONLY, OOM and their like pass.
            return .transient("redis.unavailable", message)
        }
    }

    static func connection(_ text: String, _ endpoint: RedisEndpoint) -> ModuleError {
        .transient("redis.connection", "no connection to Redis at \(endpoint): \(text)")
    }

    static let closed = ModuleError.transient("redis.closed", "the bus is closed")
}
