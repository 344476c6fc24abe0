import Martlet

/// A file of config tests, `config.test.json`.
struct ConfigTestFile: ModuleConfig {
    /// Relative to the test file; nil for the file of the same name without `.test`.
    let config: String?
    let set: [String]
    let environment: ConfigMap<String>
    /// Modules that run as they are, though they reach outside, such as `sink/chat_alert`.
    let run: [ConfigText]
    let tests: [ConfigTest]

    init(from fields: inout ConfigFields) {
        config = fields.optional(
            "config", "The config to test, relative to this file; left out, the file of this name without `.test`.", example: "../config.json")
        set = fields.optional("set", default: [], "Values that override the config's, as with --set.", example: ["topics.likes.partitions=1"])
        environment = fields.optional("environment", default: [:], "What `${env:NAME}` of the config finds, beside the process's own.")
        run = fields.optional(
            "run", default: [], "Modules that run as they are instead of a recorder: for your own, which send nothing but through the host's HTTP client.",
            example: ["sink/chat_alert"])
        tests = fields.required("tests", "The tests; each starts with empty topics and databases.")
    }
}

/// One test: what comes in, and what is expected to come of it.
struct ConfigTest: ModuleConfig {
    let name: String
    let given: [ConfigTestStep]
    let expect: ConfigTestExpectation
    let withinMilliseconds: Int

    init(from fields: inout ConfigFields) {
        name = fields.required("name", "What the test shows.", example: "a like notifies the owner of the post")
        given = fields.required("given", "What comes in, one after the other; each step is handled to its end before the next.")
        expect = fields.section("expect", "What is expected after the last step. Dead letters that are not expected fail the test.")
        withinMilliseconds = fields.optional(
            "within_ms", default: 2_000, in: 1...600_000, "How long what is expected may take.")
    }
}

/// What comes in: a request, an event, an input of a source, or a client of a stream. Exactly one of them.
struct ConfigTestStep: ModuleConfig {
    let place: ConfigPlace
    let request: Request?
    let answer: Answer?
    let event: Event?
    let input: Input?
    let stream: Stream?

    init(from fields: inout ConfigFields) {
        place = fields.place
        request = fields.optional("request", "An HTTP request to a configured path.")
        answer = fields.optional("answer", "What the request, or the stream's, must be answered with.")
        event = fields.optional("event", "An event that is appended to a topic.")
        input = fields.optional("input", "An input of a source that does not serve HTTP.")
        stream = fields.optional("stream", "A stream that a client opens; it stays open to the end of the test.")
        let count = [request != nil, event != nil, input != nil, stream != nil].filter { $0 }.count
        if count != 1 {
            fields.problem(
                at: "request", with: ["event", "input", "stream"], "a step has one of `request`, `event`, `input` and `stream`",
                found: count == 0 ? "none of them" : "\(count) of them")
        }
        if answer != nil, request == nil, stream == nil {
            fields.problem(at: "answer", with: ["request", "stream"], "an `answer` belongs to a `request` or a `stream`")
        }
    }

    /// An HTTP request.
    struct Request: ModuleConfig {
        let method: String?
        let path: String
        let headers: ConfigMap<String>
        let json: JSONNode?
        let body: String?

        init(from fields: inout ConfigFields) {
            method = fields.optional("method", "Left out, POST with a body and GET without.")
            path = fields.required("path", "Path and query.", example: "/likes")
            headers = fields.optional("headers", default: [:], "Headers by name.")
            json = fields.optional("json", "The body, as JSON.")
            body = fields.optional("body", "The body, as text.")
            if json != nil, body != nil { fields.problem(at: "body", with: ["json"], "a request has a `json` or a `body`, not both") }
        }
    }

    /// A stream that a client opens.
    struct Stream: ModuleConfig {
        let name: String
        let path: String
        let headers: ConfigMap<String>

        init(from fields: inout ConfigFields) {
            name = fields.required("name", "What `expect.streams` calls it.", example: "ben")
            path = fields.required("path", "Path and query of an SSE channel.", example: "/users/ben/notifications/stream")
            headers = fields.optional("headers", default: [:], "Headers by name.", example: ["Authorization": "Bearer …"])
        }
    }

    /// The answer to a request.
    struct Answer: ModuleConfig {
        let status: Int?
        let headers: ConfigMap<JSONNode>
        let json: JSONNode?
        let body: JSONNode?

        init(from fields: inout ConfigFields) {
            status = fields.optional("status", in: 100...599, "The status.", example: 201)
            headers = fields.optional("headers", default: [:], "Headers by name, in lower case.")
            json = fields.optional("json", "The body, as JSON; objects may have more members.")
            body = fields.optional("body", "The body, as text.")
        }
    }

    /// An event for a topic.
    struct Event: ModuleConfig {
        let topic: ConfigText
        let key: String?
        let id: String?
        let headers: ConfigMap<String>
        let payload: JSONNode
        let timestamp: Int64?

        init(from fields: inout ConfigFields) {
            topic = fields.required("topic", "A name from the config's `topics`.", example: "notifications")
            key = fields.optional("key", "The event's key.")
            id = fields.optional("id", "The event's id; left out, a UUIDv7.")
            headers = fields.optional("headers", default: [:], "Headers by name.")
            payload = fields.required("payload", "The payload, any JSON.")
            timestamp = fields.optional("timestamp", "Milliseconds since the epoch; left out, now.")
        }
    }

    /// An input of a source.
    struct Input: ModuleConfig {
        let source: ConfigText
        let headers: ConfigMap<String>
        let payload: JSONNode

        init(from fields: inout ConfigFields) {
            source = fields.required("source", "A name from the config's `sources`.", example: "poll")
            headers = fields.optional("headers", default: [:], "Headers by name.")
            payload = fields.required("payload", "The payload, any JSON.")
        }
    }
}

/// What is expected after the last step. In each list every item must be matched by one of what was found, and nothing may be
/// left over.
struct ConfigTestExpectation: ModuleConfig {
    let isExact: Bool
    let events: ConfigMap<[JSONNode]>
    let rows: [Rows]
    let sinks: ConfigMap<[JSONNode]>
    let channels: ConfigMap<[JSONNode]>
    let pubSub: ConfigMap<[JSONNode]>
    let streams: ConfigMap<[JSONNode]>
    let requests: [JSONNode]?
    let deadLetters: ConfigMap<[JSONNode]>

    init(from fields: inout ConfigFields) {
        isExact = fields.optional("exact", default: false, "Whether objects may have no other members than those expected.")
        events = fields.optional("events", default: [:], "The events of topics, by topic: `id`, `key`, `headers`, `payload`, `timestamp`.")
        rows = fields.optional("rows", default: [], "Rows of databases.")
        sinks = fields.optional("sinks", default: [:], "What reached the sinks that recorders stand for, by group.")
        channels = fields.optional("channels", default: [:], "What reached the channels that recorders stand for, by channel.")
        pubSub = fields.optional("pubsub", default: [:], "Messages on buses, by bus: `channel`, `key`, `payload` and so on.")
        streams = fields.optional(
            "streams", default: [:], "The events that came on streams, in their order, by the name of the step: `id`, `event`, `data`.")
        requests = fields.optional("requests", "HTTP requests to the outside: `method`, `url`, `headers`, and `json` or `body`.")
        deadLetters = fields.optional("dead_letters", default: [:], "Dead letters, by topic: an event with `group`, `code` and `error`.")
    }

    /// The rows of a table or a query.
    struct Rows: ModuleConfig {
        let place: ConfigPlace
        let database: ConfigText
        let table: String?
        let sql: String?
        let rows: [JSONNode]

        init(from fields: inout ConfigFields) {
            place = fields.place
            database = fields.required("database", "A name from the config's `databases`.", example: "main")
            table = fields.optional("table", "All rows of this table, in any order.", example: "notifications")
            sql = fields.optional("sql", "The rows of this query, in any order.", example: "SELECT recipient, text FROM notifications")
            rows = fields.required("rows", "One object for each row: column to value.")
            if (table == nil) == (sql == nil) {
                fields.problem(at: "table", with: ["sql"], "rows come from a `table` or from `sql`, one of them")
            }
        }
    }
}
