import Martlet

/// Where clients and the process meet: the clients' subscriptions beside those of the process. Belongs to the listener's
/// thread.
final class BusHub: SessionHub {
    private let local: LocalChannels
    private let limit: SubscriptionLimit
    private let inbox: BusInbox
    private var remote = RemoteSubscribers()
    private var connections: [Int: BusConnection] = [:]
    private var encoder = MessageEncoder()
    private var decoder = MessageDecoder()
    /// What the client that is being read has published for subscribers in this process, in order.
    private var waiting: [(channel: Bytes, deliveries: [Delivery])] = []

    init(local: LocalChannels, limit: SubscriptionLimit, inbox: BusInbox) {
        self.local = local
        self.limit = limit
        self.inbox = inbox
    }

    func add(_ connection: BusConnection) {
        connections[connection.number] = connection
    }

    /// Ends the connection's subscriptions.
    func remove(_ connection: BusConnection) {
        connection.session.leave(self)
        connections[connection.number] = nil
    }

    // MARK: SessionHub

    func subscribe(_ name: Bytes, isPattern: Bool, session: Int) -> Bool {
        guard let connection = connections[session], limit.take() else { return false }
        remote.add(connection, to: name, isPattern: isPattern)
        inbox.addSubscribers(1)
        return true
    }

    func unsubscribe(_ name: Bytes, isPattern: Bool, session: Int) {
        guard let connection = connections[session] else { return }
        remote.remove(connection, from: name, isPattern: isPattern)
        inbox.addSubscribers(-1)
        limit.give()
    }

    /// What a client publishes goes to the other clients as it is.
    func publish(_ payload: Bytes, to channel: Bytes) -> Int {
        let remoteCount = remote.fanOut(to: channel) { [payload] }
        let localCount = local.targets(of: channel).reduce(0) { $0 + $1.count }
        if localCount > 0 { keep(payload, channel) }
        return remoteCount + localCount
    }

    func channels(matching pattern: ChannelPattern?) -> [Bytes] {
        Set(local.names).union(remote.names).filter { pattern?.matches($0) ?? true }
    }

    func subscriberCount(of channel: Bytes) -> Int {
        local.count(of: channel) + remote.count(of: channel)
    }

    var patternCount: Int {
        Set(local.patternNames).union(remote.patternNames).count
    }

    // MARK: Between clients and the process

    /// Queues what the process publishes for the clients.
    func publish(_ messages: [Message], to channel: Bytes) {
        _ = remote.fanOut(to: channel) {
            messages.map { message in
                var bytes: [UInt8] = []
                bytes.reserveCapacity(encoder.prepare(message))
                encoder.append(message, to: &bytes)
                return Bytes(bytes)
            }
        }
    }

    private func keep(_ payload: Bytes, _ channel: Bytes) {
        if waiting.last?.channel != channel { waiting.append((channel, [])) }
        let last = waiting.count - 1
        switch decoder.decode(payload, from: TopicName(channel.string)) {
        case .message(let message):
            if case .messages(var messages)? = waiting[last].deliveries.last {
                // Taken out first, so that it grows in place.
                waiting[last].deliveries.removeLast()
                messages.append(message)
                waiting[last].deliveries.append(.messages(messages))
            } else {
                waiting[last].deliveries.append(.messages([message]))
            }
        case .gap, .unreadable: waiting[last].deliveries.append(.gap)
        }
    }

    /// Delivers what clients have published to the subscribers in this process.
    func deliverLocally() {
        for entry in waiting {
            let targets = local.targets(of: entry.channel)
            for delivery in entry.deliveries { for target in targets { target.deliver(delivery) } }
        }
        waiting.removeAll(keepingCapacity: true)
    }
}
