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
        guard let endpoint = config.server.endpoint(context) else { return nil }
        self.endpoint = endpoint
        clientName = RedisServerConfig.clientName(context.name)
        connectTimeout = UInt64(config.server.connectTimeoutMilliseconds) * 1_000_000
        commandTimeout = UInt64(config.server.commandTimeoutMilliseconds) * 1_000_000
        pingInterval = UInt64(config.pingIntervalMilliseconds) * 1_000_000
        reconnectMaximum = UInt64(config.reconnectMaxMilliseconds) * 1_000_000
        maxMessageBytes = config.maxMessageBytes
        maxSubscriptions = config.maxSubscriptions
    }
}
