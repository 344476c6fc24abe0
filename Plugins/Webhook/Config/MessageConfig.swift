public import Martlet

/// What a delivery says; an endpoint of the config may differ from its channel.
public struct MessageConfig: Sendable {
    public let eventType: ConfigText?
    public let content: Content?
    public let source: String
    public let headers: ConfigMap<ConfigText>
    public let body: ConfigObject?

    /// How an event is written into a request.
    public enum Content: String, CaseIterable, ConfigValue {
        case payload
        case cloudEventsBinary = "cloudevents_binary"
        case cloudEventsStructured = "cloudevents_structured"
    }

    static let standardSource = "/martlet"

    init(from fields: inout ConfigFields) {
        eventType = fields.optional(
            "event_type", "A template for the event's type, which endpoints filter by; by default the topic.",
            example: "${/type}")
        content = fields.optional(
            "content",
            "`payload` (the default) sends the body alone, `cloudevents_binary` with CloudEvents headers, `cloudevents_structured` inside "
                + "a CloudEvents envelope.", example: .payload)
        source = fields.optional("source", default: Self.standardSource, "The `source` of CloudEvents.")
        headers = fields.optional(
            "headers", default: [:], "Templates for more headers.", example: ["X-Recipient": "${@key}"])
        body = fields.optional(
            "body", "The body, JSON whose strings may be templates; by default the payload.", example: ["text": "${/text}"])
    }
}
