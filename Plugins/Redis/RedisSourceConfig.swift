package import Martlet

/// The fields of `"type": "redis"` in a source.
package struct RedisSourceConfig: ModuleConfig {
    /// What a message, or the field of an entry, holds.
    package enum Content: String, CaseIterable, ConfigValue {
        case json, text
    }

    /// Where a group begins that is made here.
    package enum Start: String, CaseIterable, ConfigValue {
        case beginning, end
    }

    let server: RedisServerConfig
    let stream: ConfigText?
    let group: String
    let consumer: String?
    let start: Start
    let payloadField: String?
    let claimIdleMilliseconds: Int
    let channel: ConfigText?
    let content: Content
    let batchEvents: Int

    package init(from fields: inout ConfigFields) {
        server = RedisServerConfig(from: &fields)
        stream = fields.optional("stream", "The stream to read, as a consumer of a group.", example: "orders")
        group = fields.optional("group", default: "martlet", "The stream's consumer group; it is made if it is not there.")
        consumer = fields.optional("consumer", "This host's name in the group; left out, the machine's.", example: "host-1")
        start = fields.optional("start", default: .beginning, "Where a group begins that is made.")
        payloadField = fields.optional(
            "payload_field", "The field of an entry that is the payload; left out, the payload is an object of all fields.", example: "payload")
        claimIdleMilliseconds = fields.optional(
            "claim_idle_ms", default: 60_000, in: 100...86_400_000, "An entry that another consumer has not acknowledged for so long is taken over.")
        channel = fields.optional(
            "channel", "Instead of `stream`: a channel to subscribe to, a pattern if it has `*`, `?` or `[`. What is published while nobody listens is lost.",
            example: "orders.*")
        content = fields.optional(
            "content", default: .json, "What a message or the `payload_field` holds: `json`, or `text`, which becomes `{\"message\": \"…\"}`.")
        batchEvents = fields.optional("batch_events", default: 500, in: 1...10_000, "Entries or messages taken at once.")
        if (stream == nil) == (channel == nil) {
            fields.problem(at: "stream", with: ["channel"], "a redis source reads either a `stream` or a `channel`")
        }
    }
}
