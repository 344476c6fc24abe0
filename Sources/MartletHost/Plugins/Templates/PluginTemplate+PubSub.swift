extension PluginTemplate {
    /// A bus inside the process.
    static let pubSub = PluginTemplate(
        module: #"""
            public import Martlet
            import Synchronization

            /// A bus inside this process: publishing hands messages to the channel's subscribers.
            ///
            /// 1. decode: ``Config``.
            /// 2. validate: nothing.
            /// 3. open: nothing; there is no connection.
            /// 4. work: publishers take turns, so there is no queue and nothing is lost.
            /// 5. close: every subscription ends.
            public final class __NAME__Bus: PubSub {
                public struct Config: ModuleConfig {
                    let maxSubscriptions: Int

                    public init(from fields: inout ConfigFields) {
                        maxSubscriptions = fields.optional(
                            "max_subscriptions", default: 1_000, in: 1...100_000, "Subscriptions over all channels; more are refused.")
                    }
                }

                public static let name = "__TYPE__"
                public static let summary = "A bus inside this process."

                private let channels: __NAME__Channels

                public init?(config: Config, context: ModuleContext) {
                    channels = __NAME__Channels(limit: config.maxSubscriptions)
                }

                public func open() async throws {}

                public func publish(_ messages: [Message], to channel: String) async throws {
                    if !messages.isEmpty { await channels.publish(messages, to: channel) }
                }

                public func subscribe(
                    to channel: String, _ receive: @escaping @Sendable (Delivery) -> Void
                ) async throws -> Subscription {
                    let subscriber = __NAME__Subscriber(receive)
                    try await channels.add(subscriber, to: channel)
                    return Subscription { subscriber.cancel() }
                }

                public func close() async {
                    await channels.removeAll()
                }
            }

            /// The subscribers of each channel, one publisher at a time.
            private actor __NAME__Channels {
                private let limit: Int
                private var subscribers: [String: [__NAME__Subscriber]] = [:]

                init(limit: Int) {
                    self.limit = limit
                }

                func publish(_ messages: [Message], to channel: String) {
                    for subscriber in subscribers[channel] ?? [] { subscriber.receive(.messages(messages)) }
                }

                func add(_ subscriber: __NAME__Subscriber, to channel: String) throws {
                    // Those that were cancelled make room.
                    subscribers = subscribers.mapValues { $0.filter { !$0.isCancelled } }.filter { !$0.value.isEmpty }
                    guard subscribers.values.reduce(0, { $0 + $1.count }) < limit else {
                        throw ModuleError.blocked(
                            "__TYPE__.too_many_subscriptions", "the bus has \(limit) subscriptions, its limit; raise `max_subscriptions`")
                    }
                    subscribers[channel, default: []].append(subscriber)
                }

                func removeAll() {
                    for subscriber in subscribers.values.joined() { subscriber.cancel() }
                    subscribers = [:]
                }
            }

            /// One subscription.
            private final class __NAME__Subscriber: Sendable {
                private let receiver: @Sendable (Delivery) -> Void
                private let ended = Atomic(false)

                init(_ receiver: @escaping @Sendable (Delivery) -> Void) {
                    self.receiver = receiver
                }

                var isCancelled: Bool { ended.load(ordering: .acquiring) }

                func receive(_ delivery: Delivery) {
                    if !isCancelled { receiver(delivery) }
                }

                func cancel() {
                    ended.store(true, ordering: .releasing)
                }
            }

            """#,
        tests: ##"""
            import __NAME__Plugin
            import Martlet
            import MartletTesting
            import Testing

            struct __NAME__BusTests {
                private func bus(_ json: String) throws -> __NAME__Bus {
                    try TestHost().make(__NAME__Bus.self, json)
                }

                @Test func keepsTheContract() async throws {
                    try await PubSubContract.verify(isShared: false, make: { try bus(ReadmeExample.json(of: "__NAME__")) })
                }

                @Test func subscriptionsAreLimited() async throws {
                    let bus = try bus(#"{ "max_subscriptions": 1 }"#)
                    let first = try await bus.subscribe(to: "a") { _ in }
                    let error = await #expect(throws: ModuleError.self) { _ = try await bus.subscribe(to: "b") { _ in } }
                    #expect(error?.code == "__TYPE__.too_many_subscriptions")
                    first.cancel()
                    _ = try await bus.subscribe(to: "b") { _ in }
                    await bus.close()
                }
            }

            """##,
        readme: """
            # __NAME__

            Bus `__TYPE__`: hands what is published to the subscribers in this process.

            ```json
            { "type": "__TYPE__", "max_subscriptions": 1000 }
            ```

            | field | |
            |---|---|
            | `max_subscriptions` | subscriptions over all channels; more are refused |

            ## When things fail

            - Nothing is kept: who subscribes later does not get what was published before.
            - At the limit a subscription is refused (`__TYPE__.too_many_subscriptions`) and tried again.

            """)
}
