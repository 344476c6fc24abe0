/// A host whose every event goes to all streams.
enum FanoutConfig {
    static let publishPath = "/messages"
    static let streamPath = "/stream"

    static func text(connections: Int, _ keeping: Keeping) -> String {
        """
        {
          "host": { "data_directory": "data", "max_connections": \(connections + 100) },
          "log": { "type": "embedded", "acknowledge": "\(keeping.acknowledge)" },
          "pubsub": { "bus": { "type": "memory" } },
          "topics": { "messages": { "partitions": 1 } },
          "sources": {
            "messages": {
              "type": "http", "method": "POST", "path": "\(publishPath)",
              "publish": { \(keeping.destination) }
            }
          },
          "groups": {
            "push": { "topics": ["messages"], "sink": { "type": "pubsub", "pubsub": "bus", "channel": "kept" } }
          },
          "channels": {
            "stream": {
              "type": "sse", "path": "\(streamPath)", "subscribe": { "pubsub": "bus", "channel": "\(keeping == .memory ? "unkept" : "kept")" },
              "max_connections": \(connections + 100),
              "max_new_connections_per_second": 1000000, "heartbeat_seconds": 600
            }
          }
        }
        """
    }
}
