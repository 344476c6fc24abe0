public import Martlet
import Synchronization

/// A bus inside one process: `publish` hands the messages to the channel's subscribers before it returns. With `listen`,
/// Redis clients, among them the `redis` bus of other hosts, publish and subscribe as well.
///
/// 1. decode: ``MemoryBusConfig``.
/// 2. validate: the address, and that one outside loopback has a password.
/// 3. open: listens, if asked to, with a thread of its own.
/// 4. work: publishers of one channel take turns, so there is no queue and nothing is lost inside this process; who waits
///    is the publisher. A client that reads too slowly is cut off, and knows by that that it missed something.
/// 5. close: every subscription and connection ends.
///
/// A channel name with `*`, `?`, `[` or `\` subscribes to a pattern, by Redis's rules; it is published to as it stands.
public final class MemoryBus: PubSub, ImmediatePublishing {
    public typealias Config = MemoryBusConfig

    public static let name = "memory"
    public static let summary = "A bus inside this process, and for Redis clients that connect to it."

    private let local = LocalChannels()
    private let limit: SubscriptionLimit
    private let listener: BusListener?

    public init?(config: Config, context: ModuleContext) {
        limit = SubscriptionLimit(config.maxSubscriptions)
        guard let text = config.listen else {
            listener = nil
            return
        }
        guard let settings = BusListenerSettings(text, config, context) else { return nil }
        listener = BusListener(
            settings, local: local, limit: limit, metrics: BusMetrics(context.metrics, bus: context.name), logger: context.logger)
    }

    public func open() async throws {
        try listener?.open()
    }

    /// Where Redis clients connect, with the port in use; nil unless it listens.
    package var listenAddress: String? { listener?.address }

    /// Returns when the subscribers in this process have the messages and those elsewhere have them queued.
    public func publish(_ messages: [Message], to channel: String) async throws {
        guard !messages.isEmpty else { return }
        let name = Bytes(channel)
        deliver(messages, to: name)
        if let listener, listener.hasSubscribers { await listener.publish(messages, to: name) }
    }

    /// False while Redis clients subscribe: what is queued for them is waited for.
    package func publishNow(_ messages: [Message], to channel: String) -> Bool {
        if let listener, listener.hasSubscribers { return false }
        if !messages.isEmpty { deliver(messages, to: Bytes(channel)) }
        return true
    }

    private func deliver(_ messages: [Message], to channel: Bytes) {
        for target in local.targets(of: channel) { target.deliver(.messages(messages)) }
    }

    /// Throws a blocked error, `bus.too_many_subscriptions`, at the configured limit.
    public func subscribe(
        to channel: String, _ receive: @escaping @Sendable (Delivery) -> Void
    ) async throws -> Subscription {
        guard limit.take() else {
            throw ModuleError.blocked(
                "bus.too_many_subscriptions",
                "the memory bus has \(limit.maximum) subscriptions, its limit; raise `max_subscriptions`")
        }
        let end = local.add(channel, receive)
        return Subscription { [limit] in
            if end() { limit.give() }
        }
    }

    public func close() async {
        await listener?.close()
        local.removeAll()
    }
}
