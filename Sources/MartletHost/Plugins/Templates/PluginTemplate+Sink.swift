extension PluginTemplate {
    /// Posts each record to a URL.
    static let sink = PluginTemplate(
        module: #"""
            public import Martlet
            import Synchronization

            /// Posts each record to a URL.
            ///
            /// 1. decode: ``Config``.
            /// 2. validate: the templates of `body` must compile.
            /// 3. open: makes an HTTP client; connections come with the first request.
            /// 4. write: one request after the other, so that the records of a partition keep their order.
            /// 5. close: ends the client.
            public final class __NAME__Sink: Sink {
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

                public static let name = "__TYPE__"
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
                        throw ModuleError.transient("__TYPE__.closed", "the sink is not open")
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
                        return .transient("__TYPE__.unavailable", message, retryAfter: seconds.map { .seconds(min($0, 3_600)) })
                    case 400, 409, 413, 415, 422: return .permanent("__TYPE__.refused", message)
                    default: return .blocked("__TYPE__.not_allowed", "\(message); check `url`")
                    }
                }
            }

            """#,
        tests: ##"""
            import __NAME__Plugin
            import Martlet
            import MartletTesting
            import Pipelines
            import Testing

            struct __NAME__SinkTests {
                /// The sink, whose requests are kept and answered by the test.
                private func sink(_ json: String, _ http: RecordingHTTP) throws -> __NAME__Sink {
                    try TestHost(payloads: SimdjsonPayloadReader(), http: http).make(__NAME__Sink.self, json)
                }

                @Test func keepsTheContract() async throws {
                    let http = RecordingHTTP()
                    let away = RecordingHTTP { _ in .failure(.transient("http.unreachable", "nobody listens")) }
                    let config = #"{ "url": "http://chat.test", "body": { "id": "${@id}", "text": "${/text}" } }"#
                    try await SinkContract.verify(
                        payload: { #"{"text": "number \#($0)"}"# }, badPayload: "{}",
                        isOrdered: true,
                        make: { try sink(config, http) }, makeUnreachable: { try sink(config, away) },
                        written: { try http.requests.map { try Posted(json: $0.body?.string ?? "").id } })
                }

                @Test(arguments: [
                    (200, nil), (429, .transient), (503, .transient), (422, .permanent), (401, .blocked),
                ] as [(Int, ModuleError.Kind?)])
                func theStatusDecides(status: Int, kind: ModuleError.Kind?) async throws {
                    let http = RecordingHTTP { _ in .success(OutgoingResponse(status: status, headers: [], body: "answer")) }
                    let sink = try sink(ReadmeExample.json(of: "__NAME__"), http)
                    try await sink.open()
                    let event = Event(id: "1", key: nil, payload: #"{"text": "hello"}"#, timestamp: 0)
                    guard case .each(let errors) = try await sink.write([Record(topic: "t", partition: 0, offset: 0, event: event)])
                    else { return #expect(Bool(false), "no outcome for each record") }
                    #expect(errors.map { $0?.kind } == [kind])
                    #expect(http.requests.map { $0.body?.string } == [#"{"text":"hello"}"#])
                    await sink.close()
                }

                /// What the contract's body looks like.
                private struct Posted: ModuleConfig {
                    let id: String

                    init(from fields: inout ConfigFields) {
                        id = fields.required("id", "The record's id.")
                        _ = fields.optional("text", default: "", "The record's text.")
                    }
                }
            }

            """##,
        readme: """
            # __NAME__

            Sink `__TYPE__`: posts each record to a URL as JSON.

            ```json
            { "type": "__TYPE__", "url": "https://chat.example.com/hooks/1", "body": { "text": "${/text}" } }
            ```

            | field | |
            |---|---|
            | `url` | where to post |
            | `body` | the JSON to post; its strings are templates over the record |
            | `timeout_ms` | how long an answer may take |

            ## When things fail

            - No connection, no answer in time, 408, 425, 429 and 5xx: tried again with backoff, after `Retry-After` if the server
              names a time. Later records of the partition wait, so that their order is kept.
            - 400, 409, 413, 415 and 422, or a template that finds no value: that record is dead-lettered.
            - Any other answer (401, 403, 404, redirects): the group is held and says so, until the operator mends `url`.
            - After a crash the last records may be posted again.

            """)
}
