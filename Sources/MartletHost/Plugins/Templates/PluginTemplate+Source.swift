extension PluginTemplate {
    /// Takes plain text over HTTP.
    static let source = PluginTemplate(
        module: ##"""
            public import Martlet
            import Synchronization

            /// Takes plain text over HTTP: each request's body becomes `{"text": "…"}`.
            ///
            /// 1. decode: ``Config``.
            /// 2. validate: nothing; the platform checks the path.
            /// 3. open: requests are let through.
            /// 4. work: a request is answered when its outcome is known, so that a producer that hears 2xx can forget it.
            /// 5. close: new requests get 503; those under way are answered first.
            public final class __NAME__Source: EventSource, RouteProviding {
                public struct Config: ModuleConfig {
                    let path: ConfigText

                    public init(from fields: inout ConfigFields) {
                        path = fields.required("path", "The path of the route, for POST.", example: "/texts")
                    }
                }

                private struct State {
                    var intake: (any Intake)?
                    var underWay = 0
                    var closing: [CheckedContinuation<Void, Never>] = []
                }

                public static let name = "__TYPE__"
                public static let summary = "Takes plain text over HTTP."

                private let path: String
                private let state = Mutex(State())

                public init?(config: Config, context: ModuleContext) {
                    path = config.path.plain
                }

                public var templateVariables: Set<TemplateVariableKind> { [.path, .query, .header] }

                public var routes: [Route] {
                    [Route("POST", path) { [self] exchange in take(exchange) }]
                }

                public func open(intake: any Intake) async throws {
                    state.withLock { $0.intake = intake }
                }

                public func close() async {
                    await withCheckedContinuation { continuation in
                        let isIdle = state.withLock { state in
                            state.intake = nil
                            if state.underWay > 0 { state.closing.append(continuation) }
                            return state.underWay == 0
                        }
                        if isIdle { continuation.resume() }
                    }
                }

                private func take(_ exchange: any HTTPExchange) {
                    let intake = state.withLock { state in
                        if state.intake != nil { state.underWay += 1 }
                        return state.intake
                    }
                    guard let intake else {
                        return exchange.respond(Self.problem(503, "The source is closed", retryAfter: 1))
                    }
                    let payload = Bytes(#"{"text":\#(JSONText.quoted(exchange.body.string))}"#)
                    intake.accept([SourceInput(payload: payload, variables: ExchangeVariables(exchange))]) { [self] outcomes in
                        for outcome in outcomes { exchange.respond(Self.answer(outcome)) }
                        leave()
                    }
                }

                private func leave() {
                    let closing = state.withLock { state in
                        state.underWay -= 1
                        guard state.underWay == 0 else { return [CheckedContinuation<Void, Never>]() }
                        defer { state.closing = [] }
                        return state.closing
                    }
                    for continuation in closing { continuation.resume() }
                }

                private static func answer(_ outcome: IntakeOutcome) -> HTTPResponse {
                    switch outcome {
                    case .saved(let id, _): return HTTPResponse(status: 201, body: Bytes("\(id)\n"))
                    case .published(let id, _, _, _), .sent(let id): return HTTPResponse(status: 202, body: Bytes("\(id)\n"))
                    case .unchanged, .filtered: return HTTPResponse(status: 200)
                    case .rejected(let error): return problem(422, error.message)
                    case .conflict: return problem(422, "The same idempotency key came with another body")
                    case .unavailable(let error, let wait): return problem(503, error.message, retryAfter: wait.components.seconds)
                    }
                }

                private static func problem(_ status: Int, _ title: String, retryAfter: Int64? = nil) -> HTTPResponse {
                    let headers = retryAfter.map { [(name: "Retry-After", value: String(max(1, $0)))] } ?? []
                    return ProblemDetails(status: status, title: title).response(headers: headers)
                }
            }

            """##,
        tests: ##"""
            import __NAME__Plugin
            import Martlet
            import MartletTesting
            import Testing

            struct __NAME__SourceTests {
                private func source(_ json: String) throws -> __NAME__Source {
                    try TestHost().make(__NAME__Source.self, json)
                }

                @Test func keepsTheContract() async throws {
                    try await SourceContract.verify(
                        send: { source, number in
                            guard let routes = (source as? any RouteProviding)?.routes else { return .none }
                            let exchange = FakeExchange("POST", target: "/texts", body: Bytes("number \(number)"))
                            routes[0].handle(exchange)
                            return await exchange.response().status < 300 ? .accepted : .refused
                        },
                        number: { input in
                            let text = input.payload.string
                            return text.hasPrefix(#"{"text":"number "#) ? Int(text.dropFirst(16).dropLast(2)) : nil
                        },
                        make: { try source(ReadmeExample.json(of: "__NAME__")) })
                }
            }

            """##,
        readme: """
            # __NAME__

            Source `__TYPE__`: takes plain text over HTTP. Each request's body becomes the payload `{"text": "…"}`.

            ```json
            { "type": "__TYPE__", "path": "/texts" }
            ```

            | field | |
            |---|---|
            | `path` | the path of the route, for POST |

            The answer is 202 with the event's id (201 with a `save`), 200 if a transform dropped it.

            ## When things fail

            - The log or the database is away or full: 503 with `Retry-After`; the producer sends it again.
            - The text is at fault: 422.

            """)
}
