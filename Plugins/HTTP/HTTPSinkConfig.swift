public import Martlet

/// The fields of `"type": "http"` in a sink.
public struct HTTPSinkConfig: ModuleConfig {
    /// How a request carries the event's attributes.
    public enum CloudEvents: String, CaseIterable, ConfigValue {
        case none, binary, structured
    }

    /// What a request does.
    public enum Method: String, CaseIterable, ConfigValue {
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
    }

    public let url: ConfigText
    public let method: Method
    public let headers: ConfigMap<ConfigText>
    public let body: ConfigObject?
    public let cloudEvents: CloudEvents
    public let cloudEventSource: String
    public let cloudEventType: String
    public let timeoutMilliseconds: Int
    public let maxConcurrentRequests: Int
    public let caFile: ConfigFilePath?

    public init(from fields: inout ConfigFields) {
        url = fields.required(
            "url", "Where requests go, a template; values in it are percent-encoded, and stand behind the host.",
            example: "https://api.example.com/users/${@key}/events")
        method = fields.optional("method", default: .post, "The method of the requests.")
        headers = fields.optional(
            "headers", default: [:], "Headers of the requests, templates. Secrets come through `${env:…}` or `${file:…}`.",
            example: ["Authorization": "Bearer ${env:API_TOKEN}"])
        body = fields.optional(
            "body", "The body, JSON whose strings are templates; left out, the payload.", example: ["text": "${/text}"])
        cloudEvents = fields.optional(
            "cloudevents", default: .none, "Send CloudEvents 1.0: `binary` (attributes in headers) or `structured` (one JSON object).")
        cloudEventSource = fields.optional(
            "cloudevents_source", default: "/martlet", "The `source` of an event that has no header `ce_source`.")
        cloudEventType = fields.optional("cloudevents_type", default: "martlet.event", "The `type` of an event that has no header `ce_type`.")
        timeoutMilliseconds = fields.optional("timeout_ms", default: 30_000, in: 100...600_000, "How long a request may take, its answer included.")
        maxConcurrentRequests = fields.optional(
            "max_concurrent_requests", default: 8, in: 1...256, "Requests of a batch under way at once; those of one key go one after the other.")
        caFile = fields.optional("ca_file", "A PEM file of the authorities to trust; left out, the system's.", example: "ca.pem")
        if body != nil, cloudEvents != .none {
            fields.problem(
                at: "body", with: ["cloudevents"],
                "a CloudEvent's data is the payload; leave `body` out, and shape the payload with the transform `map`")
        }
    }
}
