public import Martlet

/// The fields of `"type": "http"`.
public struct HTTPSourceConfig: ModuleConfig {
    /// The methods that a source may answer to.
    public enum Method: String, CaseIterable, ConfigValue {
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"
        case delete = "DELETE"
        case get = "GET"
    }

    /// What bodies hold.
    public enum Content: String, CaseIterable, ConfigValue {
        case json, opaque, cloudevents
    }

    public let method: Method
    public let path: ConfigText
    public let content: Content
    public let bodySchema: ConfigObject?
    public let maxBatchEvents: Int
    public let respond: RespondConfig?

    public init(from fields: inout ConfigFields) {
        method = fields.optional("method", default: .post, "The method that producers use.")
        path = fields.required(
            "path", "The path of the route; `{name}` is a segment that templates read as `${@path.name}`.",
            example: "/likes")
        content = fields.optional(
            "content", default: .json,
            "What bodies hold: `json` (one event, an array, or NDJSON), `opaque` (any bytes, one event), or `cloudevents` (CloudEvents 1.0: binary, structured or a batch).")
        bodySchema = fields.optional(
            "body_schema", "A JSON Schema that each event's body must satisfy.",
            example: ["type": "object", "required": ["actor"]])
        maxBatchEvents = fields.optional(
            "max_batch_events", default: 10_000, in: 1...1_000_000, "Events that one array or NDJSON body may hold.")
        respond = fields.optional("respond", "The answer to a request that was saved or published.")
        if content == .opaque, bodySchema != nil {
            fields.problem(at: "body_schema", with: ["content"], "needs `content` to be \"json\"", hint: "leave one of the two out")
        }
        if !path.plain.hasPrefix("/") {
            fields.problem(at: "path", "must begin with `/`", found: JSONText.quoted(path.plain))
        }
    }
}
