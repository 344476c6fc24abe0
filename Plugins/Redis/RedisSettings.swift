import Martlet

/// What the connections need of the config, checked. Durations are in nanoseconds.
struct RedisSettings: Sendable {
    let endpoint: RedisEndpoint
    /// What the server calls the connections in CLIENT LIST.
    let clientName: String
    let connectTimeout: UInt64
    let commandTimeout: UInt64
    let pingInterval: UInt64
    let reconnectMaximum: UInt64
    let maxMessageBytes: Int
    let maxSubscriptions: Int

    /// Nil, with a problem reported, if the config is wrong.
    init?(_ config: RedisConfig, _ context: ModuleContext) {
        var endpoint: RedisEndpoint
        do throws(RedisEndpoint.Mistake) {
            endpoint = try RedisEndpoint(parsing: config.url.plain)
        } catch {
            context.problem(at: config.url.place, error.message)
            return nil
        }
        if let user = config.user {
            if endpoint.user != nil {
                context.problem(at: user.place, "`url` names a user too; give it once")
                return nil
            }
            endpoint.user = user.plain
        }
        if let password = config.password {
            if endpoint.password != nil {
                context.problem(at: password.place, "`url` holds a password too; give it once")
                return nil
            }
            endpoint.password = password.plain
        }
        if let user = config.user, endpoint.password == nil {
            context.problem(at: user.place, "a user needs a password; add `password`")
            return nil
        }
        self.endpoint = endpoint
        clientName = "martlet-" + String(context.name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
        connectTimeout = UInt64(config.connectTimeoutMilliseconds) * 1_000_000
        commandTimeout = UInt64(config.commandTimeoutMilliseconds) * 1_000_000
        pingInterval = UInt64(config.pingIntervalMilliseconds) * 1_000_000
        reconnectMaximum = UInt64(config.reconnectMaxMilliseconds) * 1_000_000
        maxMessageBytes = config.maxMessageBytes
        maxSubscriptions = config.maxSubscriptions
    }
}
