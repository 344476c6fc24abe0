import Martlet

/// What a source and a sink say about their server.
struct RedisServerConfig: Sendable {
    let url: ConfigText
    let user: ConfigText?
    let password: ConfigText?
    let connectTimeoutMilliseconds: Int
    let commandTimeoutMilliseconds: Int

    init(from fields: inout ConfigFields) {
        url = fields.required(
            "url", "The server: `redis://user:password@host:port/database`, all but the host optional.", example: "redis://127.0.0.1:6379")
        user = fields.optional("user", "The ACL user, instead of one in `url`; left out, the default user.", example: "martlet")
        password = fields.optional("password", "The password, instead of one in `url`.", example: "${env:REDIS_PASSWORD}")
        connectTimeoutMilliseconds = fields.optional("connect_timeout_ms", default: 2_000, in: 1...600_000, "How long a connection may take.")
        commandTimeoutMilliseconds = fields.optional(
            "command_timeout_ms", default: 5_000, in: 1_000...600_000, "How long the server may take over an answer; then the connection is given up.")
    }

    /// Nil, with a problem reported, if the fields are wrong.
    func endpoint(_ context: ModuleContext) -> RedisEndpoint? {
        RedisEndpoint(url: url, user: user, password: password, context)
    }
}
