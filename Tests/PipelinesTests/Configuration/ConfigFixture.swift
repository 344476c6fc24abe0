import Testing

/// A config with a mistake: edits of a good one, and the report that `martlet validate` prints, word for word.
struct ConfigFixture: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let text: String
    let report: String

    /// - Parameter edits: what is replaced, once each, and what by.
    init(_ name: String, _ edits: [(String, String)], _ report: String) {
        testDescription = name
        text = edits.reduce(Self.good) { text, edit in
            guard let range = text.firstRange(of: edit.0) else { preconditionFailure("\(name): no \(edit.0)") }
            return text.replacingCharacters(in: range, with: edit.1)
        }
        self.report = report
    }

    static let good = #"""
        {
          "host": { "listen": "127.0.0.1:8080", "data_directory": "data" },
          "log": { "acknowledge": "fsync" },
          "databases": {
            "main": {
              "type": "sqlite",
              "path": "data/main.db",
              "schema": [{ "id": "001-likes", "sql": "CREATE TABLE likes (actor TEXT)" }]
            }
          },
          "pubsub": { "bus": { "type": "memory" } },
          "topics": { "likes": { "partitions": 4, "retention_hours": 168 } },
          "sources": {
            "likes": {
              "type": "http",
              "path": "/likes",
              "save": {
                "database": "main",
                "sql": "INSERT INTO likes(actor) VALUES (:actor)",
                "parameters": { "actor": "${/actor}" }
              },
              "publish": { "topic": "likes", "key": "${/owner}", "payload": { "text": "${/actor} likes it" } }
            }
          },
          "groups": {
            "store": {
              "topics": ["likes"],
              "transforms": [{ "type": "jq", "program": "select(.actor != .owner)" }],
              "sink": { "type": "table", "database": "main", "table": "likes", "columns": { "actor": "${/actor}" } }
            },
            "push": {
              "topics": ["likes"],
              "sink": { "type": "pubsub", "pubsub": "bus", "channel": "likes" }
            }
          },
          "channels": {
            "stream": {
              "type": "sse",
              "path": "/users/{user}/stream",
              "subscribe": { "pubsub": "bus", "channel": "likes" },
              "match": { "message": "${@key}", "connection": "${@path.user}" },
              "replay": { "group": "push" }
            }
          },
          "queries": {
            "list": {
              "path": "/users/{user}/likes",
              "database": "main",
              "sql": "SELECT actor FROM likes WHERE actor = :user",
              "parameters": { "user": "${@path.user}" }
            }
          }
        }
        """#
}

extension String {
    fileprivate func replacingCharacters(in range: Range<Index>, with other: String) -> String {
        self[..<range.lowerBound] + other + self[range.upperBound...]
    }
}
