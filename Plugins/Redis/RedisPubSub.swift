public import Martlet
import Synchronization

/// A bus through a Redis server, or through a Martlet host whose `memory` bus listens.
///
/// 1. decode: ``RedisConfig``.
/// 2. validate: the URL, and that user and password are given once.
/// 3. open: connects and logs in, on a thread of its own. A server that is away is a transient error, a refused login a
///    blocked one.
/// 4. work: publishes over one connection, subscribes over another. Each is made again after a loss, with backoff; then
///    every subscription is renewed and gets a gap, since Redis keeps nothing for those who are away.
/// 5. close: ends the connections; what waits fails.
///
/// A channel name with `*`, `?`, `[` or `\` subscribes to a pattern, by Redis's rules; it is published to as it stands.
public final class RedisPubSub: PubSub {
    public typealias Config = RedisConfig

    public static let name = "redis"
    public static let summary = "A bus between hosts through a Redis server (PUBLISH and SUBSCRIBE)."

    private let settings: RedisSettings
    private let metrics: RedisMetrics
    private let logger: Logger
    private let budget: InFlightBudget
    private let loop = Mutex<RedisLoop?>(nil)

    public init?(config: Config, context: ModuleContext) {
        guard let settings = RedisSettings(config, context) else { return nil }
        self.settings = settings
        metrics = RedisMetrics(context.metrics, bus: context.name)
        logger = context.logger
        budget = InFlightBudget(limit: config.maxInFlightBytes, waitingMax: config.maxWaitingPublishes)
    }

    public func open() async throws {
        let opened = try RedisLoop(settings: settings, metrics: metrics, logger: logger)
        do {
            try await opened.open()
        } catch {
            await opened.stop()
            throw error
        }
        loop.withLock { $0 = opened }
    }

    /// Returns when the server has answered for each message. A connection that is lost before fails the batch, of which
    /// subscribers may then have had a part.
    public func publish(_ messages: [Message], to channel: String) async throws {
        let loop = try current()
        guard !messages.isEmpty else { return }
        // While there is no connection there is no point in waiting for a share.
        if let failure = loop.failure { throw failure }
        let size = PublishBatch.estimate(messages, to: channel)
        try await budget.take(size)
        defer { budget.give(size) }
        let commands = PublishBatch.encode(messages, to: channel, maxMessageBytes: settings.maxMessageBytes)
        try await withCheckedThrowingContinuation { completion in
            loop.submit(.publish(PublishBatch(commands: commands, count: messages.count, completion: completion)))
        }
    }

    /// Returns when the server has confirmed the subscription; from then on it survives losses of the connection.
    public func subscribe(
        to channel: String, _ receive: @escaping @Sendable (Delivery) -> Void
    ) async throws -> Subscription {
        let loop = try current()
        let added = Mutex<RedisReceiver?>(nil)
        try await withCheckedThrowingContinuation { confirmation in
            let receiver = RedisReceiver(channel, confirmation: confirmation, take: receive)
            added.withLock { $0 = receiver }
            loop.submit(.add(receiver))
        }
        guard let receiver = added.withLock({ $0 }) else { preconditionFailure("a confirmed subscription has a receiver") }
        return Subscription {
            receiver.cancel()
            loop.submit(.remove(receiver))
        }
    }

    public var failure: ModuleError? { loop.withLock { $0 }?.trouble }

    public func close() async {
        let closing = loop.withLock { loop in
            defer { loop = nil }
            return loop
        }
        await closing?.stop()
    }

    private func current() throws(ModuleError) -> RedisLoop {
        guard let loop = loop.withLock({ $0 }) else { throw RedisFailure.closed }
        return loop
    }
}
