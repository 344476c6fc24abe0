/// What a channel's config asks of its streams.
struct StreamSettings: Sendable {
    var retryMilliseconds: Int
    var heartbeat: Duration
    /// Bytes that may wait for one slow client.
    var bufferBytes: Int
    /// Every connection gets every message: there is no `match`.
    var isBroadcast: Bool
}
