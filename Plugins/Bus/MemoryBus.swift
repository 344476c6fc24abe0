public import Martlet
import Synchronization

/// A bus inside one process: `publish` hands the messages to the channel's subscribers before it returns.
///
/// 1. decode: ``MemoryBusConfig``.
/// 2. validate: nothing to check.
/// 3. open: nothing to connect to.
/// 4. work: publishers of one channel take turns, so there is no queue and nothing is lost; who waits is the publisher.
/// 5. close: every subscription ends.
public final class MemoryBus: PubSub {
    public typealias Config = MemoryBusConfig

    public static let name = "memory"
    public static let summary = "A bus inside this process; loses nothing while the process lives."

    private struct State {
        var channels: [String: BusChannel] = [:]
        var subscriptionCount = 0
    }

    private let maxSubscriptions: Int
    private let state = Mutex(State())

    public init?(config: Config, context: ModuleContext) {
        maxSubscriptions = config.maxSubscriptions
    }

    public func open() async throws {}

    public func publish(_ messages: [Message], to channel: String) async throws {
        guard !messages.isEmpty, let target = state.withLock({ $0.channels[channel] }) else { return }
        await target.deliver(messages)
    }

    /// Throws a blocked error, `bus.too_many_subscriptions`, at the configured limit.
    public func subscribe(
        to channel: String, _ receive: @escaping @Sendable (Delivery) -> Void
    ) async throws -> Subscription {
        let subscribed = state.withLock { state -> (BusChannel, Int)? in
            guard state.subscriptionCount < maxSubscriptions else { return nil }
            state.subscriptionCount += 1
            let target = state.channels[channel] ?? BusChannel()
            state.channels[channel] = target
            return (target, target.add(receive))
        }
        guard let (target, number) = subscribed else {
            throw ModuleError.blocked(
                "bus.too_many_subscriptions",
                "the memory bus has \(maxSubscriptions) subscriptions, its limit; raise `max_subscriptions`")
        }
        return Subscription { [weak self] in self?.end(number, of: target, channel) }
    }

    public func close() async {
        state.withLock { state in
            for channel in state.channels.values { channel.removeAll() }
            state = State()
        }
    }

    private func end(_ number: Int, of target: BusChannel, _ channel: String) {
        state.withLock { state in
            guard target.remove(number) else { return }
            state.subscriptionCount -= 1
            if target.isEmpty, state.channels[channel] === target { state.channels[channel] = nil }
        }
    }
}
