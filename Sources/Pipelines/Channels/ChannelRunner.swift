package import Martlet
import Synchronization

/// Runs one delivery channel, and its subscription if the config gives it one.
package final class ChannelRunner: Sendable {
    private struct State {
        var opening: PartOpening
        var subscription: Subscription?
        var reopening: Task<Void, Never>?
        var isStopped = false
    }

    package let name: String
    package let channel: any DeliveryChannel
    package var readiness: Readiness { state.withLock { $0.opening }.readiness }
    /// Whether the channel rereads the log.
    var replays: Bool { replay != nil }

    private let bus: (runner: PubSubRunner, channel: String)?
    private let replay: (any MessageReplay)?
    private let replayTransforms: ReplayTransforms?
    private let dependencies: [Readiness]
    private let logger: Logger
    private let state: Mutex<State>

    /// - Parameters:
    ///   - replayTransforms: to be opened before the channel, if no group that runs here opens them.
    ///   - dependencies: what must be open before the channel is opened.
    init(
        name: String, channel: any DeliveryChannel, bus: (runner: PubSubRunner, channel: String)?,
        replay: (any MessageReplay)?, replayTransforms: ReplayTransforms? = nil,
        dependencies: [Readiness] = [], logger: Logger
    ) {
        self.name = name
        self.channel = channel
        self.bus = bus
        self.replay = replay
        self.replayTransforms = replayTransforms
        self.dependencies = dependencies
        self.logger = logger.with("channel", name)
        state = Mutex(State(opening: PartOpening(logger: self.logger)))
    }

    /// Starts to open and subscribe; returns at once.
    package func start() {
        state.withLock { $0.opening }.start { [self] opener in
            for dependency in dependencies { try await dependency.wait() }
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
        state.withLock { $0.subscription = subscription }
        // What was published after the channel asked the log, and before this, is only in the log.
        if replay != nil { channel.mayHaveMissedMessages() }
    }

    /// Closes the channel and opens it anew, since what it knew of the log is not so any more. Returns at once.
    func reopen() {
        state.withLock { state in
            guard !state.isStopped, state.reopening == nil else { return }
            state.reopening = Task { [self] in
                await shut()
                let mustStart = self.state.withLock { state in
                    state.reopening = nil
                    if !state.isStopped { state.opening = PartOpening(logger: logger) }
                    return !state.isStopped
                }
                if mustStart { start() }
            }
        }
    }

    private func shut() async {
        await state.withLock { $0.opening }.cancel()
        let subscription = state.withLock { state in
            defer { state.subscription = nil }
            return state.subscription
        }
        subscription?.cancel()
        await channel.close()
    }

    /// Takes no more messages, tells those connected, and closes.
    package func stop(within grace: Duration) async {
        let reopening = state.withLock { state in
            state.isStopped = true
            return state.reopening
        }
        await reopening?.value
        let opening = state.withLock { $0.opening }
        await opening.cancel()
        state.withLock { $0.subscription }?.cancel()
        await channel.drain(within: grace)
        await shut()
        opening.readiness.closed()
    }
}
