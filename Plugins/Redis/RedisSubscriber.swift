import CHiredis
import Martlet

/// Subscribes over one connection, again after each loss of it, and hands the messages out. Belongs to the connection's
/// thread. There is a connection only while there are subscriptions.
final class RedisSubscriber: RedisLinkUser {
    /// One channel or pattern at the server, shared by its local subscriptions.
    private final class Channel {
        let name: Bytes
        let topic: TopicName
        let isPattern: Bool
        var receivers: [RedisReceiver] = []
        /// The server has said yes on this connection, or on one before.
        var isConfirmed = false
        var wasConfirmed = false
        /// Arrived in this turn.
        var messages: [Message] = []

        init(_ name: String, isPattern: Bool) {
            self.name = Bytes(name)
            topic = TopicName(name)
            self.isPattern = isPattern
        }

        func deliver(_ delivery: Delivery) {
            for receiver in receivers { receiver.receive(delivery) }
        }
    }

    /// A command whose answer is due.
    private enum Asked {
        case subscription(Channel)
        case end
    }

    let link: RedisLink
    private let settings: RedisSettings
    private let metrics: RedisMetrics
    private let logger: Logger
    private let setFailure: (ModuleError?) -> Void
    private var channels: [Bytes: Channel] = [:]
    private var patterns: [Bytes: Channel] = [:]
    private var subscriptionCount = 0
    private var asked = FIFOQueue<Asked>()
    private var touched: [Channel] = []
    private var decoder = MessageDecoder()
    /// Where the latest message went.
    private var latest: Channel?
    /// The server has refused to renew a subscription on this connection.
    private var hasRefusals = false
    /// When subscriptions that the server has refused after a reconnection are asked for again.
    private(set) var retryAt: UInt64?

    /// - Parameter setFailure: told why subscriptions get nothing now, and nil when they do.
    init(
        link: RedisLink, settings: RedisSettings, metrics: RedisMetrics, logger: Logger,
        setFailure: @escaping (ModuleError?) -> Void
    ) {
        self.link = link
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        self.setFailure = setFailure
        link.user = self
    }

    var wantsConnection: Bool { subscriptionCount > 0 }

    // MARK: Subscriptions

    /// Adds a subscription, which completes when the server has confirmed it.
    func add(_ receiver: RedisReceiver, _ now: UInt64) {
        guard subscriptionCount < settings.maxSubscriptions else {
            receiver.fail(
                .blocked(
                    "redis.too_many_subscriptions",
                    "the bus has \(settings.maxSubscriptions) subscriptions, its limit; raise `max_subscriptions`"))
            return
        }
        subscriptionCount += 1
        if let channel = find(receiver) {
            channel.receivers.append(receiver)
            if channel.isConfirmed { receiver.confirm() }
            return
        }
        let channel = Channel(receiver.channel, isPattern: receiver.isPattern)
        channel.receivers = [receiver]
        if receiver.isPattern { patterns[channel.name] = channel } else { channels[channel.name] = channel }
        if link.isReady {
            ask(for: channel, now)
            link.flush(now)
        } else {
            link.connect(now)
        }
    }

    /// Ends a subscription.
    func remove(_ receiver: RedisReceiver, _ now: UInt64) {
        guard let channel = find(receiver), let index = channel.receivers.firstIndex(where: { $0 === receiver }) else { return }
        channel.receivers.remove(at: index)
        subscriptionCount -= 1
        if subscriptionCount == 0 { setFailure(nil) }
        guard channel.receivers.isEmpty else { return }
        forget(channel)
        guard link.isReady else { return }
        if subscriptionCount == 0 {
            asked = FIFOQueue()
            return link.close()
        }
        asked.append(.end)
        link.send(Self.command(channel.isPattern ? "PUNSUBSCRIBE" : "UNSUBSCRIBE", channel), answers: 1, now)
        link.flush(now)
    }

    private func find(_ receiver: RedisReceiver) -> Channel? {
        let name = Bytes(receiver.channel)
        return receiver.isPattern ? patterns[name] : channels[name]
    }

    private func forget(_ channel: Channel) {
        latest = nil
        if channel.isPattern { patterns[channel.name] = nil } else { channels[channel.name] = nil }
    }

    private func ask(for channel: Channel, _ now: UInt64) {
        asked.append(.subscription(channel))
        link.send(Self.command(channel.isPattern ? "PSUBSCRIBE" : "SUBSCRIBE", channel), answers: 1, now)
    }

    private static func command(_ verb: String, _ channel: Channel) -> [UInt8] {
        RedisGreeting.command([verb, channel.topic.text])
    }

    /// Asks again for what the server has refused, once that is due.
    func tick(_ now: UInt64) {
        guard let due = retryAt, due <= now else { return }
        retryAt = nil
        guard link.isReady else { return }
        for channel in all where !channel.isConfirmed { ask(for: channel, now) }
        link.flush(now)
    }

    private var all: [Channel] { Array(channels.values) + Array(patterns.values) }

    // MARK: The connection

    func linkIsReady() {
        let now = RedisTime.now()
        for channel in all { ask(for: channel, now) }
        link.flush(now)
        setFailure(nil)
    }

    func linkAnswered(_ reply: redisReply) {
        guard asked.count > 0, case .subscription(let channel) = asked.removeFirst() else { return }
        if reply.type == REDIS_REPLY_ERROR {
            refused(channel, RedisFailure.reply(reply.text, doing: "to subscribe to \(channel.topic)", at: settings.endpoint))
            return
        }
        // Unless it was ended meanwhile.
        guard !channel.receivers.isEmpty else { return }
        if channel.wasConfirmed {
            metrics.gaps.add()
            handOut(channel)
            channel.deliver(.gap)
        }
        channel.isConfirmed = true
        channel.wasConfirmed = true
        for receiver in channel.receivers { receiver.confirm() }
        if hasRefusals, all.allSatisfy(\.isConfirmed) {
            hasRefusals = false
            setFailure(nil)
        }
    }

    private func refused(_ channel: Channel, _ error: ModuleError) {
        drop(channel.receivers.filter { $0.fail(error) }, from: channel)
        guard !channel.receivers.isEmpty else { return }
        logger.error("\(error.message); asking again", ("code", error.code))
        hasRefusals = true
        setFailure(error)
        retryAt = RedisTime.now() + settings.reconnectMaximum
    }

    func linkFailed(_ error: ModuleError) {
        handOutAll()
        asked = FIFOQueue()
        retryAt = nil
        hasRefusals = false
        for channel in all {
            channel.isConfirmed = false
            // Those that were never confirmed get the error; the others wait for the next connection.
            drop(channel.receivers.filter { $0.fail(error) }, from: channel)
        }
        setFailure(wantsConnection ? error : nil)
    }

    private func drop(_ failed: [RedisReceiver], from channel: Channel) {
        guard !failed.isEmpty else { return }
        subscriptionCount -= failed.count
        channel.receivers.removeAll { receiver in failed.contains { $0 === receiver } }
        if channel.receivers.isEmpty { forget(channel) }
    }

    /// Ends all subscriptions.
    func close() {
        link.close()
        linkFailed(RedisFailure.closed)
        channels = [:]
        patterns = [:]
        latest = nil
        subscriptionCount = 0
    }

    // MARK: Messages

    func linkBrought(_ message: redisReply) {
        // ["message", channel, payload] or ["pmessage", pattern, channel, payload]
        let isPattern = message.elements == 4
        guard let channel = find(message[1].raw, isPattern: isPattern) else { return }
        let bytes = Bytes(copying: message[isPattern ? 3 : 2].raw)
        metrics.received.add()
        switch decoder.decode(bytes, from: isPattern ? TopicName(message[2].text) : channel.topic) {
        case .message(let message):
            if message.previousOffset == nil { metrics.foreign.add() }
            if channel.messages.isEmpty { touched.append(channel) }
            channel.messages.append(message)
        case .gap, .unreadable:
            handOut(channel)
            metrics.gaps.add()
            channel.deliver(.gap)
        }
    }

    /// Mostly it is the same as the message's before.
    private func find(_ name: UnsafeRawBufferPointer, isPattern: Bool) -> Channel? {
        if let latest, latest.isPattern == isPattern, latest.name.withUnsafeBytes({ $0.elementsEqual(name) }) { return latest }
        let name = Bytes(copying: name)
        latest = isPattern ? patterns[name] : channels[name]
        return latest
    }

    func linkWasRead() {
        handOutAll()
    }

    private func handOutAll() {
        for channel in touched { handOut(channel) }
        touched.removeAll(keepingCapacity: true)
    }

    private func handOut(_ channel: Channel) {
        guard !channel.messages.isEmpty else { return }
        channel.deliver(.messages(channel.messages))
        channel.messages = []
    }
}
