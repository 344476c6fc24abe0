public import Martlet

/// One entry of a channel's `endpoints`.
public struct EndpointConfig: ModuleConfig {
    public let url: ConfigText
    public let secrets: [ConfigText]
    public let eventTypes: [String]
    public let maxInFlight: Int?
    public let maxPerSecond: Int?
    public let message: MessageConfig
    /// Where the entry stands.
    public let place: ConfigPlace

    public init(from fields: inout ConfigFields) {
        place = fields.place
        url = fields.required(
            "url", "The URL, http or https; a template's values become segments or query values.", example: "https://example.com/hooks")
        secrets = fields.required(
            "secrets",
            "Signing secrets: `whsec_…` signs by HMAC-SHA256 (v1), `whsk_…` by ed25519 (v1a). Each delivery has a signature of every one, "
                + "so that receivers can change over.", example: ["${env:WEBHOOK_SECRET}"])
        eventTypes = fields.optional(
            "event_types", default: [], "The event types that are sent; `order.*` means all that begin so. By default all.",
            example: ["like"])
        maxInFlight = fields.optional("max_in_flight", in: 1...1_000, "Instead of the channel's `max_in_flight`.")
        maxPerSecond = fields.optional("max_per_second", in: 1...1_000_000, "Instead of the channel's `max_per_second`.")
        message = MessageConfig(from: &fields)
    }
}
