package import Martlet
import Synchronization

/// Runs one delivery channel, and its subscription if the config gives it one.
package final class ChannelRunner: Sendable {
    package let name: String
    package let channel: any DeliveryChannel
    package var readiness: Readiness { opening.readiness }

    private let bus: (runner: PubSubRunner, channel: String)?
    private let replay: (any MessageReplay)?
    private let replayTransforms: ReplayTransforms?
    private let logger: Logger
    private let opening: PartOpening
    private let subscription = Mutex<Subscription?>(nil)

    /// - Parameter replayTransforms: to be opened before the channel, if no group that runs here opens them.
    init(
        name: String, channel: any DeliveryChannel, bus: (runner: PubSubRunner, channel: String)?,
        replay: (any MessageReplay)?, replayTransforms: ReplayTransforms? = nil, logger: Logger
    ) {
        self.name = name
        self.channel = channel
        self.bus = bus
        self.replay = replay
        self.replayTransforms = replayTransforms
        self.logger = logger.with("channel", name)
        opening = PartOpening(logger: self.logger)
    }

    /// Starts to open and subscribe; returns at once.
    package func start() {
        opening.start { [self] opener in
            try await replayTransforms?.open()
            try await opener.open("channel \(name)") { try await channel.open(replay: replay) }
            guard let bus else { return }
            try await bus.runner.readiness.wait()
            try await opener.open("the subscription to \(bus.channel)") { try await subscribe(bus.runner, bus.channel) }
        }
    }

    private func subscribe(_ runner: PubSubRunner, _ name: String) async throws {
        let feed = ChannelFeed(channel: channel, logger: logger)
        let subscription = try await runner.pubSub.subscribe(to: name) { delivery in feed.receive(delivery) }
        self.subscription.withLock { $0 = subscription }
    }

    /// Takes no more messages, tells those connected, and closes.
    package func stop(within grace: Duration) async {
        await opening.cancel()
        subscription.withLock { $0 }?.cancel()
        await channel.drain(within: grace)
        await channel.close()
        readiness.closed()
    }
}
