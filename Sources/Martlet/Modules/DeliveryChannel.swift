/// A module that delivers messages to the outside: SSE connections, webhook endpoints.
///
/// A channel is fed by a group (`deliver_to`) or by a pub/sub subscription (`subscribe`).
public protocol DeliveryChannel: Module {
    /// - Parameter replay: rereads what the subscription may have lost; nil unless the config names `replay`.
    func open(replay: (any MessageReplay)?) async throws

    /// Takes messages over durably, or hands each to the connections it matches. Returns what became of them.
    func deliver(_ messages: [Message]) async throws -> WriteResult

    /// Why this channel, as it is configured, cannot be opened with a replay: a config problem of `replay`. Nil if it can.
    var replayRefusal: String? { get }

    /// Why this channel cannot be fed by a subscription: a config problem of `subscribe`. Nil if it can.
    var subscriptionRefusal: String? { get }

    /// Who is connected on this host; nil for a channel that keeps no connections.
    /// - Parameter limit: the most recipients, and users, to list.
    func connections(limit: Int) -> ChannelConnections?

    /// The subscription may have lost messages (reconnected, overflowed): positions must be compared with the log.
    func mayHaveMissedMessages()

    /// Stops taking new work and tells those connected that the host leaves; returns when done or at the deadline.
    func drain(within grace: Duration) async

    func close() async
}

extension DeliveryChannel {
    public var replayRefusal: String? { nil }
    public var subscriptionRefusal: String? { nil }
    public func connections(limit: Int) -> ChannelConnections? { nil }
    public func mayHaveMissedMessages() {}
    public func drain(within grace: Duration) async {}
}

/// A channel that can take messages over on the thread that brings them, which spares them a hop to another.
package protocol ImmediateDelivery: DeliveryChannel {
    /// Takes messages over as ``DeliveryChannel/deliver(_:)`` does, without waiting; any thread, one call at a time. False,
    /// and none is taken, if that is not possible now.
    func deliverNow(_ messages: [Message]) -> Bool
}

/// A channel's connections on this host at one moment.
public struct ChannelConnections: Sendable {
    /// A recipient or a caller, and its connections.
    public struct Count: Sendable {
        public let name: String
        public let connections: Int

        public init(name: String, connections: Int) {
            self.name = name
            self.connections = connections
        }
    }

    public let total: Int
    /// How many there are of each, all of them counted.
    public let recipientCount: Int
    public let userCount: Int
    /// Those with the most connections first, at most as many as asked for.
    public let recipients: [Count]
    public let users: [Count]

    public init(total: Int, recipientCount: Int, userCount: Int, recipients: [Count], users: [Count]) {
        self.total = total
        self.recipientCount = recipientCount
        self.userCount = userCount
        self.recipients = recipients
        self.users = users
    }
}

/// A module that serves HTTP routes.
public protocol RouteProviding {
    /// Known after validation, so that collisions are config problems. Handlers run only between open and close.
    var routes: [Route] { get }
}
