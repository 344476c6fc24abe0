package import Martlet
import Synchronization

/// Runs one delivery channel, and its subscription if the config gives it one.
package final class ChannelRunner: Sendable {
    package let name: String
    package let channel: any DeliveryChannel
    package let readiness = Readiness()

    private struct State {
        var opening: Task<Void, Never>?
        var subscription: Subscription?
    }

    private let bus: (runner: PubSubRunner, channel: String)?
    private let replay: (any MessageReplay)?
    private let logger: Logger
    private let state = Mutex(State())

    package init(
        name: String, channel: any DeliveryChannel, bus: (runner: PubSubRunner, channel: String)?,
        replay: (any MessageReplay)?, logger: Logger
    ) {
        self.name = name
        self.channel = channel
        self.bus = bus
        self.replay = replay
        self.logger = logger.with("channel", name)
    }

    /// Starts to open and subscribe; returns at once.
    package func start() {
        state.withLock { state in
            if state.opening == nil { state.opening = Task { await open() } }
        }
    }

    private func open() async {
        let opener = ModuleOpener(logger: logger) { [readiness] error in
            if let error { readiness.failed(error) }
        }
        do {
            try await opener.open("channel \(name)") { try await channel.open(replay: replay) }
            if let bus {
                try await bus.runner.readiness.wait()
                try await opener.open("the subscription to \(bus.channel)") { try await subscribe(bus.runner, bus.channel) }
            }
            readiness.opened()
        } catch {
            logger.debug("channel closes before it was open")
        }
    }

    private func subscribe(_ runner: PubSubRunner, _ name: String) async throws {
        let feed = ChannelFeed(channel: channel, logger: logger)
        let subscription = try await runner.pubSub.subscribe(to: name) { delivery in feed.receive(delivery) }
        state.withLock { $0.subscription = subscription }
    }

    /// Takes no more messages, tells those connected, and closes.
    package func stop(within grace: Duration) async {
        let opening = state.withLock { $0.opening }
        opening?.cancel()
        await opening?.value
        state.withLock { $0.subscription }?.cancel()
        await channel.drain(within: grace)
        await channel.close()
        readiness.closed()
    }
}
