public import Martlet
import Synchronization

/// Posts each record to a URL.
///
/// 1. decode: ``Config``.
/// 2. validate: the templates of `body` must compile.
/// 3. open: makes an HTTP client; connections come with the first request.
/// 4. write: one request after the other, so that the records of a partition keep their order.
/// 5. close: ends the client.
public final class MySinkSink: Sink {
    public struct Config: ModuleConfig {
        let url: String
        let body: ConfigObject
        let timeoutMilliseconds: Int

        public init(from fields: inout ConfigFields) {
            url = fields.required("url", "Where to post.", example: "https://chat.example.com/hooks/1")
            body = fields.optional(
                "body", default: ["text": "${/text}"], "The JSON to post; its strings are templates over the record.")
            timeoutMilliseconds = fields.optional(
                "timeout_ms", default: 10_000, in: 1...600_000, "How long an answer may take.")
        }
    }

    public static let name = "my_sink"
    public static let summary = "Posts each record to a URL."

    /// Each record has an outcome of its own.
    public let hasAtomicBatches = false

    private let url: String
    private let body: PayloadTemplate
    private let timeout: Duration
    private let payloads: any PayloadReader
    private let http: any OutgoingHTTP
    private let client = Mutex<(any OutgoingHTTPClient)?>(nil)

    public init?(config: Config, context: ModuleContext) {
        guard let body = context.payloadTemplate(config.body, allowing: [.record, .header]) else { return nil }
        self.body = body
        url = config.url
        timeout = .milliseconds(config.timeoutMilliseconds)
        payloads = context.payloads
        http = context.http
    }

    public func open() async throws {
        var settings = OutgoingHTTPSettings()
        // The operator alone chooses the URL, so it may lead into a private network.
        settings.addresses = .any
        let client = try http.client(settings)
        self.client.withLock { $0 = client }
    }

    public func write(_ batch: [Record]) async throws -> WriteResult {
        guard let client = client.withLock({ $0 }) else {
            throw ModuleError.transient("my_sink.closed", "the sink is not open")
        }
        var errors: [ModuleError?] = []
        for record in batch {
            let error = try await post(record, client)
            errors.append(error)
            if let error, error.kind != .permanent {
                // What comes after waits with it, so that the order is kept.
                errors += Array(repeating: error, count: batch.count - errors.count)
                break
            }
        }
        return .each(errors)
    }

    public func close() async {
        let client = client.withLock { client in
            defer { client = nil }
            return client
        }
        await client?.close()
    }

    /// Nil if the record was taken.
    private func post(_ record: Record, _ client: any OutgoingHTTPClient) async throws -> ModuleError? {
        do {
            let request = OutgoingRequest(
                "POST", url, headers: [("Content-Type", "application/json")],
                body: try body.render(TemplateInput(record), with: payloads), timeout: timeout)
            return refusal(try await client.send(request))
        } catch let error as ModuleError {
            return error
        }
    }

    private func refusal(_ answer: OutgoingResponse) -> ModuleError? {
        let message = "\(url) answered \(answer.status): \(answer.body.string.prefix(200))"
        switch answer.status {
        case 200..<300: return nil
        case 408, 425, 429, 500...:
            let seconds = answer.header("retry-after").flatMap { Int($0) }
            return .transient("my_sink.unavailable", message, retryAfter: seconds.map { .seconds(min($0, 3_600)) })
        case 400, 409, 413, 415, 422: return .permanent("my_sink.refused", message)
        default: return .blocked("my_sink.not_allowed", "\(message); check `url`")
        }
    }
}
