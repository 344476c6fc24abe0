/// A host that delivers each event of a topic to one endpoint.
enum WebhookConfig {
    static let keys = 1_000

    static func text(endpoint: UInt16, inFlight: Int) -> String {
        """
        {
          "host": { "data_directory": "data" },
          "log": { "type": "embedded", "acknowledge": "fsync" },
          "databases": { "main": { "type": "sqlite", "path": "main.db" } },
          "topics": { "events": { "partitions": 4 } },
          "sources": {
            "events": { "type": "http", "path": "/events", "publish": { "topic": "events", "key": "${/key}" } }
          },
          "groups": { "hooks": { "topics": ["events"], "deliver_to": "hooks", "batch_events": 1000 } },
          "channels": {
            "hooks": {
              "type": "webhook", "database": "main", "max_in_flight": \(inFlight), "keep_events": 100000,
              "allow_addresses": ["127.0.0.1"],
              "endpoints": {
                "receiver": { "url": "http://127.0.0.1:\(endpoint)/hook", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] }
              }
            }
          }
        }
        """
    }

    /// NDJSON of events, the n-th of its key each; about 200 bytes an event.
    static func lines(from first: Int, count: Int) -> [UInt8] {
        let fill = String(repeating: "x", count: 150)
        var text: [UInt8] = []
        text.reserveCapacity(count * 210)
        for number in first..<first + count {
            text += "{\"n\":\(number / keys),\"key\":\"k\(number % keys)\",\"note\":\"\(fill)\"}\n".utf8
        }
        return text
    }
}
