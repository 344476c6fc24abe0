/// A host that delivers each event to one of many endpoints.
enum EndpointsConfig {
    /// Where the endpoints of one phase are.
    struct Places {
        let count: Int
        /// The first so many endpoints are dead, each in the way of the next of `deadPorts`.
        let dead: Int
        let alive: UInt16
        let deadPorts: [UInt16]
    }

    static func text(_ places: Places) -> String {
        let endpoints = (0..<places.count).map { number in
            let port = number >= places.dead ? places.alive : places.deadPorts[number % places.deadPorts.count]
            return """
                "e\(number)": { "url": "http://127.0.0.1:\(port)/hook", "secrets": ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
                  "event_types": ["e\(number)"] }
                """
        }
        return """
            {
              "host": { "data_directory": "data" },
              "log": { "type": "embedded", "acknowledge": "fsync" },
              "databases": { "main": { "type": "sqlite", "path": "main.db" } },
              "topics": { "events": { "partitions": 4 } },
              "sources": {
                "events": { "type": "http", "path": "/events", "publish": { "topic": "events", "key": "${/key}" } }
              },
              "groups": { "hooks": { "topics": ["events"], "deliver_to": "hooks" } },
              "channels": {
                "hooks": {
                  "type": "webhook", "database": "main", "event_type": "${/type}", "timeout_ms": 1000, "connect_timeout_ms": 1000,
                  "keep_events": 100000, "allow_addresses": ["127.0.0.1"], "endpoints": {
                    \(endpoints.joined(separator: ",\n        "))
                  }
                }
              }
            }
            """
    }
}
