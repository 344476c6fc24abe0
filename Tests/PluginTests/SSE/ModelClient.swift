import MartletTesting

/// A client of the model: it reconnects with its last event id, and remembers everything that it got.
struct ModelClient {
    let key: String
    /// The first id it asks with: `earliest` or `latest`.
    let start: String
    /// Numbers of events published before it first connected; a client that starts at the latest may miss them.
    var publishedBefore = 0
    var hasConnected = false
    var stream: FakeStream?
    /// Where its stream is: host and shard.
    var place = (host: 0, shard: 0)

    private(set) var received: [String] = []
    private(set) var gaps = 0
    private(set) var lastEventID = ""

    init(key: String, start: String) {
        self.key = key
        self.start = start
    }

    /// Ends the stream and keeps what it brought.
    mutating func ended() {
        guard let stream else { return }
        var parser = EventStreamParser(lastEventID: lastEventID)
        parser.take(stream.text)
        received += parser.events.filter { $0.name == "message" }.map(\.data)
        gaps += parser.events.count { $0.name == "gap" }
        lastEventID = parser.lastEventID
        self.stream = nil
    }
}
