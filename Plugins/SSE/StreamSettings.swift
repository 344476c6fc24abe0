/// What a channel's config asks of its streams.
struct StreamSettings: Sendable {
    var retryMilliseconds: Int
    var heartbeat: Duration
    /// Bytes that may wait for one slow client.
    var bufferBytes: Int
    /// Every connection gets every message: there is no `match`.
    var isBroadcast: Bool
    /// A client that is too slow loses the oldest of what waits, instead of its connection.
    var dropsOldest = false
    /// A stream without an event for so long is ended; nil for never.
    var idleTimeout: Duration?

    /// What may wait in a stream; more waits in a ``Backlog`` where the oldest may be dropped.
    var streamBytes: Int { dropsOldest ? bufferBytes / 2 : bufferBytes }
}
