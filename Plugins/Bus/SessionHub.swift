import Martlet

/// What a client's session asks of the bus.
protocol SessionHub {
    /// False if the bus has as many subscriptions as it may.
    func subscribe(_ name: Bytes, isPattern: Bool, session: Int) -> Bool
    func unsubscribe(_ name: Bytes, isPattern: Bool, session: Int)
    /// Returns how many subscriptions get it.
    func publish(_ payload: Bytes, to channel: Bytes) -> Int
    /// Channels that have subscribers.
    func channels(matching pattern: ChannelPattern?) -> [Bytes]
    func subscriberCount(of channel: Bytes) -> Int
    /// Different patterns that have subscribers.
    var patternCount: Int { get }
}
