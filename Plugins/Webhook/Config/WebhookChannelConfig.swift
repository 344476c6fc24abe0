public import Martlet

/// The fields of `"type": "webhook"`.
public struct WebhookChannelConfig: ModuleConfig {
    public let database: ConfigText
    public let endpoints: ConfigMap<EndpointConfig>
    public let message: MessageConfig
    public let timeoutMilliseconds: Int
    public let connectTimeoutMilliseconds: Int
    public let maxAnswerBytes: Int
    public let maxInFlight: Int
    public let maxPerSecond: Int?
    public let maxRequests: Int
    public let maxQueuedBytes: Int
    public let maxHeldKeys: Int
    public let maxBacklogEvents: Int
    public let maxEndpoints: Int
    public let allowAddresses: [AddressBlock]
    public let certificateFile: ConfigText?
    public let secretsKey: ConfigText?
    public let previousSecretsKeys: [ConfigText]
    public let retry: RetryConfig
    public let breaker: BreakerConfig
    public let disableAfterHours: Int
    public let eventsTopic: ConfigText?
    public let keepHours: Int
    public let keepEvents: Int

    public init(from fields: inout ConfigFields) {
        database = fields.required(
            "database", "The database that holds deliveries, endpoints and attempts, by its name under `databases`.", example: "main")
        endpoints = fields.optional(
            "endpoints", default: [:], "Endpoints of the config, by name; more are made through the admin API.",
            example: [:])
        message = MessageConfig(from: &fields)
        timeoutMilliseconds = fields.optional(
            "timeout_ms", default: 15_000, in: 100...600_000, "Time for a whole answer, connecting included.")
        connectTimeoutMilliseconds = fields.optional(
            "connect_timeout_ms", default: 5_000, in: 50...60_000, "Time to connect, name look-up and TLS included.")
        maxAnswerBytes = fields.optional(
            "max_answer_bytes", default: 1_024, in: 0...65_536,
            "The first bytes of an answer's body, which are kept with the attempt; the rest is not read.")
        maxInFlight = fields.optional(
            "max_in_flight", default: 16, in: 1...1_000, "Requests to one endpoint at the same time; each is of another key.")
        maxPerSecond = fields.optional(
            "max_per_second", in: 1...1_000_000, "Requests to one endpoint a second; left out, no limit.", example: 100)
        maxRequests = fields.optional(
            "max_requests", default: 1_000, in: 1...20_000,
            "Requests of this host to all endpoints at the same time; endpoints that time out have a quarter of them at most.")
        maxQueuedBytes = fields.optional(
            "max_queued_bytes", default: 64 << 20, in: 1 << 20...1 << 40,
            "Memory for deliveries that are read ahead; the others wait in the database.")
        maxHeldKeys = fields.optional(
            "max_held_keys", default: 10_000, in: 1...1_000_000,
            "Keys of one endpoint that wait for a retry; past it the endpoint's other keys wait too.")
        maxBacklogEvents = fields.optional(
            "max_backlog_events", default: 1_000_000, in: 1...1_000_000_000,
            "Deliveries that may wait for one endpoint; past it the endpoint is disabled.")
        maxEndpoints = fields.optional(
            "max_endpoints", default: 10_000, in: 1...100_000, "Endpoints of the channel; past it no more are made.")
        allowAddresses = fields.optional(
            "allow_addresses", default: [],
            "Blocks of private addresses that endpoints may have; by default only public addresses are connected to.",
            example: [])
        certificateFile = fields.optional(
            "ca_file", "A PEM file of the authorities to trust for https; left out, the system's.", example: "ca.pem")
        secretsKey = fields.optional(
            "secrets_key",
            "32 bytes in base64 (`openssl rand -base64 32`) that encrypt the secrets of endpoints made through the admin API, by "
                + "AES-256-GCM; left out, they lie in the database as they are.", example: "${env:WEBHOOK_SECRETS_KEY}")
        previousSecretsKeys = fields.optional(
            "previous_secrets_keys", default: [],
            "Other keys that secrets in the database may be encrypted with; when the channel opens, those are encrypted with `secrets_key`, "
                + "or decrypted if there is none.", example: ["${env:WEBHOOK_OLD_SECRETS_KEY}"])
        retry = fields.section("retry", "When a delivery that failed is tried again.")
        breaker = fields.section("breaker", "When an endpoint that keeps failing is left alone for a while.")
        disableAfterHours = fields.optional(
            "disable_after_hours", default: 120, in: 1...8_760, "An endpoint that has failed for so long is disabled.")
        eventsTopic = fields.optional(
            "events_topic", "A topic that gets an event when an endpoint is disabled.", example: "webhook-events")
        keepHours = fields.optional(
            "keep_hours", default: 72, in: 1...87_600, "How long finished deliveries are kept, with their attempts.")
        keepEvents = fields.optional(
            "keep_events", default: 1_000_000, in: 0...1_000_000_000, "How many finished deliveries are kept; the oldest go first.")
    }
}
