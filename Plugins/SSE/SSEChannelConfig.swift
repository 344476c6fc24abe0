public import Martlet

/// The fields of `"type": "sse"`.
public struct SSEChannelConfig: ModuleConfig {
    public let path: ConfigText
    public let match: MatchConfig?
    public let eventName: ConfigText?
    public let data: ConfigObject?
    public let heartbeatSeconds: Int
    public let retryMilliseconds: Int
    public let bufferBytes: Int
    public let maxConnections: Int
    public let maxConnectionsPerKey: Int
    public let maxConnectionsPerUser: Int
    public let maxConnectionsPerAddress: Int?
    public let maxNewConnectionsPerSecond: Int
    public let slowClient: SlowClient
    public let idleTimeoutSeconds: Int?

    /// What becomes of a client for which more than `buffer_bytes` wait.
    public enum SlowClient: String, CaseIterable, ConfigValue {
        case disconnect
        case dropOldest = "drop_oldest"
    }

    public init(from fields: inout ConfigFields) {
        path = fields.required(
            "path", "The path of the route; `{name}` is a segment that templates read as `${@path.name}`.",
            example: "/users/{user}/stream")
        match = fields.optional(
            "match", "Which messages a connection gets: those for which both templates have the same text. Without it all.")
        eventName = fields.optional(
            "event_name", "The name of the events, plain or a template; without it clients see `message`.", example: "like")
        data = fields.optional(
            "data", "The events' data, JSON whose strings may be templates; by default the payload.",
            example: ["text": "${/text}"])
        heartbeatSeconds = fields.optional(
            "heartbeat_seconds", default: 15, in: 1...3_600, "A quiet connection gets a comment this often.")
        retryMilliseconds = fields.optional(
            "retry_ms", default: 3_000, in: 0...3_600_000, "How long clients wait before they reconnect.")
        bufferBytes = fields.optional(
            "buffer_bytes", default: 262_144, in: 4_096...1_073_741_824,
            "What may wait for one slow client; past it the client is disconnected. Events of more than half of it "
                + "become a gap.")
        maxConnections = fields.optional(
            "max_connections", default: 20_000, in: 1...10_000_000, "Connections; past it the answer is 503.")
        maxConnectionsPerKey = fields.optional(
            "max_connections_per_key", default: 100, in: 1...10_000_000,
            "Connections that match by the same text; past it the answer is 429.")
        maxConnectionsPerUser = fields.optional(
            "max_connections_per_user", default: 100, in: 1...10_000_000,
            "With `auth`: connections of one caller; past it the answer is 429.")
        maxConnectionsPerAddress = fields.optional(
            "max_connections_per_address", in: 1...10_000_000,
            "Connections from one address (of IPv6 the first 64 bits); past it the answer is 429. Left out, no limit. Behind a "
                + "proxy it needs `host.trusted_proxies`, else all have one address.")
        maxNewConnectionsPerSecond = fields.optional(
            "max_new_connections_per_second", default: 5_000, in: 1...10_000_000,
            "New connections in a second, on average; past it the answer is 503.")
        slowClient = fields.optional(
            "slow_client", default: .disconnect,
            "What becomes of a client past `buffer_bytes`: `disconnect`, and it resumes; or `drop_oldest` of what waits and tell "
                + "it so, for streams without `replay`.")
        idleTimeoutSeconds = fields.optional(
            "idle_timeout_seconds", in: 1...604_800,
            "A stream that gets no event for so long is ended, to the next heartbeat; its client comes back. Left out, never.")
        if !path.plain.hasPrefix("/") {
            fields.problem(at: "path", "must begin with `/`", found: JSONText.quoted(path.plain))
        }
    }
}
