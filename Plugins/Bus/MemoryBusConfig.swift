public import Martlet

/// The fields of `"type": "memory"`.
public struct MemoryBusConfig: ModuleConfig {
    /// Subscriptions over all channels.
    public let maxSubscriptions: Int
    /// Where Redis clients connect; nil for none.
    public let listen: ConfigText?
    public let password: ConfigText?
    public let maxConnections: Int
    public let maxMessageBytes: Int
    public let maxQueuedBytes: Int

    public init(from fields: inout ConfigFields) {
        maxSubscriptions = fields.optional(
            "max_subscriptions", default: 1_000, in: 1...100_000, "Subscriptions over all channels of this bus.")
        listen = fields.optional(
            "listen", "Address and port at which Redis clients can publish and subscribe; left out, none.",
            example: "127.0.0.1:6380")
        password = fields.optional(
            "password", "What those clients must log in with; required outside loopback.", example: "${env:BUS_PASSWORD}")
        maxConnections = fields.optional(
            "max_connections", default: 1_000, in: 1...10_000, "Connections to `listen`; more are refused.")
        maxMessageBytes = fields.optional(
            "max_message_bytes", default: 4 << 20, in: 1_024...512 << 20, "The largest message that a client may publish.")
        maxQueuedBytes = fields.optional(
            "max_queued_bytes", default: 32 << 20, in: 4_096...1 << 32,
            "Bytes that may wait for one client; a slower one is cut off.")
        if password != nil, listen == nil {
            fields.problem(at: "password", with: ["listen"], "`password` is for clients of `listen`, which is not set")
        }
    }
}
