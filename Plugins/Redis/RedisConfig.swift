public import Martlet

/// The fields of `"type": "redis"`.
public struct RedisConfig: ModuleConfig {
    let server: RedisServerConfig
    public let pingIntervalMilliseconds: Int
    public let reconnectMaxMilliseconds: Int
    public let maxInFlightBytes: Int
    public let maxWaitingPublishes: Int
    public let maxMessageBytes: Int
    public let maxSubscriptions: Int

    public init(from fields: inout ConfigFields) {
        server = RedisServerConfig(from: &fields, shortestCommandTimeout: 1)
        pingIntervalMilliseconds = fields.optional(
            "ping_interval_ms", default: 10_000, in: 1...600_000, "After how much silence the server is pinged.")
        reconnectMaxMilliseconds = fields.optional(
            "reconnect_max_ms", default: 5_000, in: 50...600_000, "The longest wait between two attempts to connect.")
        maxInFlightBytes = fields.optional(
            "max_in_flight_bytes", default: 16 << 20, in: 65_536...1 << 30,
            "Messages sent and not yet acknowledged by the server; publishers wait beyond it.")
        maxWaitingPublishes = fields.optional(
            "max_waiting_publishes", default: 1_000, in: 1...1_000_000,
            "Publishers that may wait for that; more are refused for now.")
        maxMessageBytes = fields.optional(
            "max_message_bytes", default: 4 << 20, in: 1_024...512 << 20,
            "The largest message, headers included; a larger one is replaced by a note that receivers reread the log.")
        maxSubscriptions = fields.optional(
            "max_subscriptions", default: 1_000, in: 1...100_000, "Subscriptions over all channels of this bus.")
    }
}
