/// A host with a channel for each user.
enum UsersConfig {
    static let publishPath = "/messages/USER"

    static func streamPath(_ user: String) -> String { "/users/\(user)/stream" }

    static func text(users: Int, _ keeping: Keeping) -> String {
        """
        {
          "host": { "data_directory": "data", "max_connections": \(users + 200) },
          "log": { "type": "embedded", "acknowledge": "\(keeping.acknowledge)" },
          "pubsub": { "bus": { "type": "memory" } },
          "topics": { "messages": { "partitions": 4 } },
          "sources": {
            "messages": {
              "type": "http", "method": "POST", "path": "/messages/{user}",
              "publish": { \(keeping.destination), "key": "${@path.user}" }
            }
          },
          "groups": {
            "push": { "topics": ["messages"], "sink": { "type": "pubsub", "pubsub": "bus", "channel": "kept" } }
          },
          "channels": {
            "stream": {
              "type": "sse", "path": "/users/{user}/stream", \(subscription(keeping)),
              "match": { "message": "${@key}", "connection": "${@path.user}" },
              "max_connections": \(users + 200), "max_new_connections_per_second": 1000000, "heartbeat_seconds": 600
            }
          }
        }
        """
    }

    private static func subscription(_ keeping: Keeping) -> String {
        keeping == .memory
            ? #""subscribe": { "pubsub": "bus", "channel": "unkept" }"#
            : #""subscribe": { "pubsub": "bus", "channel": "kept" }, "replay": { "group": "push" }"#
    }
}
