import Martlet

/// What a bus, a source and a sink say about their server.
struct RedisServerConfig: Sendable {
    /// `redis://[user][:password]@host[:port][/database]`. Never printed: it may hold a password.
    private let url: ConfigText
    private let user: ConfigText?
    private let password: ConfigText?
    let connectTimeoutMilliseconds: Int
    let commandTimeoutMilliseconds: Int

    /// - Parameter shortestCommandTimeout: the least that `command_timeout_ms` may be; milliseconds.
    init(from fields: inout ConfigFields, shortestCommandTimeout: Int = 1_000) {
        url = fields.required(
            "url", "The server: `redis://user:password@host:port/database`, all but the host optional.",
            example: "redis://127.0.0.1:6379")
        user = fields.optional("user", "The ACL user, instead of one in `url`; left out, the default user.", example: "martlet")
        password = fields.optional(
            "password", "The password, instead of one in `url`, where it would need percent-encoding.",
            example: "${env:REDIS_PASSWORD}")
        connectTimeoutMilliseconds = fields.optional(
            "connect_timeout_ms", default: 2_000, in: 1...600_000, "How long a connection may take; that of a bus, greeting included.")
        commandTimeoutMilliseconds = fields.optional(
            "command_timeout_ms", default: 5_000, in: shortestCommandTimeout...600_000,
            "How long the server may be silent while an answer is due; then the connection is given up.")
    }

    /// What the server calls a module's connections in CLIENT LIST.
    static func clientName(_ module: String) -> String {
        "martlet-" + String(module.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
    }

    /// Nil, with a problem reported, if the fields are wrong.
    func endpoint(_ context: ModuleContext) -> RedisEndpoint? {
        var endpoint: RedisEndpoint
        do throws(RedisEndpoint.Mistake) {
            endpoint = try RedisEndpoint(parsing: url.plain)
        } catch {
            context.problem(at: url.place, error.message)
            return nil
        }
        if let user {
            if endpoint.user != nil {
                context.problem(at: user.place, "`url` names a user too; give it once")
                return nil
            }
            endpoint.user = user.plain
        }
        if let password {
            if endpoint.password != nil {
                context.problem(at: password.place, "`url` holds a password too; give it once")
                return nil
            }
            endpoint.password = password.plain
        }
        if let user, endpoint.password == nil {
            context.problem(at: user.place, "a user needs a password; add `password`")
            return nil
        }
        return endpoint
    }
}
