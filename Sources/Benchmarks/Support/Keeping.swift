/// Where a message is before it is sent on to event streams.
enum Keeping: String, CaseIterable {
    /// In the log, synced.
    case fsync
    /// In the log, with the operating system.
    case written
    /// Nowhere: the source publishes on the bus.
    case memory

    /// The log's `acknowledge`.
    var acknowledge: String { self == .written ? "written" : "fsync" }

    /// What a source's `publish` has of it: the topic `messages`, or the channel `unkept` of the bus.
    var destination: String {
        self == .memory ? #""pubsub": "bus", "channel": "unkept""# : #""topic": "messages""#
    }
}
