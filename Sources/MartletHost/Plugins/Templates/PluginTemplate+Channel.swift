extension PluginTemplate {
    /// Serves the newest messages.
    static let channel = PluginTemplate(
        module: #"""
            public import Martlet
            import Synchronization

            /// Keeps the newest messages in memory and serves them as a JSON array.
            ///
            /// 1. decode: ``Config``.
            /// 2. validate: nothing; the platform checks the path.
            /// 3. open: the route answers; what was kept before is forgotten.
            /// 4. deliver: a message that comes again, after a retry or a reset, is kept once.
            /// 5. close: the route answers 503.
            public final class __NAME__Channel: DeliveryChannel, RouteProviding {
                public struct Config: ModuleConfig {
                    let path: ConfigText
                    let keepEvents: Int

                    public init(from fields: inout ConfigFields) {
                        path = fields.required("path", "The path of the route, for GET.", example: "/newest")
                        keepEvents = fields.optional(
                            "keep_events", default: 100, in: 1...10_000, "How many messages are kept; older ones are forgotten.")
                    }
                }

                /// Where a message came from.
                private struct Place: Hashable {
                    let topic: TopicName
                    let partition: PartitionID
                    let offset: Offset
                    let index: Int32
                }

                private struct State {
                    var isOpen = false
                    var kept: [(place: Place, payload: Bytes)] = []
                }

                public static let name = "__TYPE__"
                public static let summary = "Keeps the newest messages and serves them over HTTP."

                private let path: String
                private let keepEvents: Int
                private let payloads: any PayloadReader
                private let state = Mutex(State())

                public init?(config: Config, context: ModuleContext) {
                    path = config.path.plain
                    keepEvents = config.keepEvents
                    payloads = context.payloads
                }

                public var routes: [Route] {
                    [Route("GET", path) { [self] exchange in exchange.respond(answer) }]
                }

                public func open(replay: (any MessageReplay)?) async throws {
                    state.withLock { $0 = State(isOpen: true) }
                }

                public func deliver(_ messages: [Message]) async throws -> WriteResult {
                    try state.withLock { state in
                        guard state.isOpen else { throw ModuleError.transient("__TYPE__.closed", "the channel is not open") }
                        for message in messages {
                            let record = message.record
                            let place = Place(
                                topic: record.topic, partition: record.partition, offset: record.offset, index: record.index)
                            if state.kept.contains(where: { $0.place == place }) { continue }
                            state.kept.append((place, record.event.payload))
                        }
                        state.kept.removeFirst(max(0, state.kept.count - keepEvents))
                    }
                    return .handled
                }

                public func close() async {
                    state.withLock { $0 = State() }
                }

                /// The newest message comes last. A payload that is no JSON becomes a string.
                private var answer: HTTPResponse {
                    let (isOpen, kept) = state.withLock { ($0.isOpen, $0.kept.map(\.payload)) }
                    guard isOpen else {
                        return ProblemDetails(status: 503, title: "The channel is closed").response(headers: [("Retry-After", "1")])
                    }
                    let items = kept.map { payload in
                        (try? payloads.check(payload)) == nil ? JSONText.quoted(payload.string) : payload.string
                    }
                    return HTTPResponse(
                        status: 200, headers: [("Content-Type", "application/json")],
                        body: Bytes("[\(items.joined(separator: ","))]\n"))
                }
            }

            """#,
        tests: ##"""
            import __NAME__Plugin
            import Martlet
            import MartletTesting
            import Pipelines
            import Testing

            struct __NAME__ChannelTests {
                private func channel(_ json: String) throws -> __NAME__Channel {
                    try TestHost(payloads: SimdjsonPayloadReader()).make(__NAME__Channel.self, json)
                }

                private func body(_ channel: any DeliveryChannel) async throws -> String {
                    let exchange = FakeExchange("GET", target: "/newest")
                    try #require((channel as? any RouteProviding)?.routes.first).handle(exchange)
                    return await exchange.response().body.string
                }

                @Test func keepsTheContract() async throws {
                    try await ChannelContract.verify(
                        payload: { "\"record-\($0)\"" },
                        attach: { channel in
                            { try await body(channel).split { "[],\"\n".contains($0) }.map(String.init) }
                        },
                        make: { try channel(#"{ "path": "/newest", "keep_events": 10000 }"#) })
                }

                @Test func onlyTheNewestAreKept() async throws {
                    let channel = try channel(#"{ "path": "/newest", "keep_events": 2 }"#)
                    try await channel.open(replay: nil)
                    let messages = ["1", "no JSON", "3"].enumerated().map { number, payload in
                        let event = Event(id: "e", key: nil, payload: Bytes(payload), timestamp: 0)
                        return Message(
                            record: Record(topic: "t", partition: 0, offset: Offset(number), event: event), previousOffset: nil)
                    }
                    _ = try await channel.deliver(messages)
                    #expect(try await body(channel) == "[\"no JSON\",3]\n")
                    await channel.close()
                }

                @Test func theReadmesExampleIsGood() throws {
                    _ = try channel(ReadmeExample.json(of: "__NAME__"))
                }
            }

            """##,
        readme: """
            # __NAME__

            Channel `__TYPE__`: keeps the newest messages in memory and serves them as a JSON array, the newest last.

            ```json
            { "type": "__TYPE__", "path": "/newest", "keep_events": 100 }
            ```

            | field | |
            |---|---|
            | `path` | the path of the route, for GET |
            | `keep_events` | how many messages are kept; older ones are forgotten |

            Feed it from a group (`"deliver_to": "NAME"`) or from a bus (`"subscribe": {…}` in the channel's block).

            ## When things fail

            - A restart forgets what was kept.
            - A message that is delivered again is kept once, as long as it is among the newest.

            """)
}
