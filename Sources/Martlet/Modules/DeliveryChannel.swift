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

    /// The subscription may have lost messages (reconnected, overflowed): positions must be compared with the log.
    func mayHaveMissedMessages()

    /// Stops taking new work and tells those connected that the host leaves; returns when done or at the deadline.
    func drain(within grace: Duration) async

    func close() async
}

extension DeliveryChannel {
    public var replayRefusal: String? { nil }
    public var subscriptionRefusal: String? { nil }
    public func mayHaveMissedMessages() {}
    public func drain(within grace: Duration) async {}
}

/// A module that serves HTTP routes.
public protocol RouteProviding {
    /// Known after validation, so that collisions are config problems. Handlers run only between open and close.
    var routes: [Route] { get }
}
