/// A host that delivers each event to one of many endpoints.
enum EndpointsConfig {
    /// Where the endpoints of one run are.
    struct Places {
        let count: Int
        /// The first so many endpoints are dead: of each two one does not answer, and one refuses connections.
        let dead: Int
        let alive: UInt16
        let silent: UInt16
        let refusing: UInt16
    }

    static func text(_ places: Places) -> String {
        let endpoints = (0..<places.count).map { number in
            let port = number >= places.dead ? places.alive : number % 2 == 0 ? places.silent : places.refusing
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
                  "type": "webhook", "database": "main", "event_type": "${/type}", "timeout_ms": 1000, "keep_events": 100000,
                  "allow_addresses": ["127.0.0.1"], "endpoints": {
                    \(endpoints.joined(separator: ",\n        "))
                  }
                }
              }
            }
            """
    }
}
