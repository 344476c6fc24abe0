/// A host that takes events and keeps them: an http source without a save, and one topic.
enum IngestConfig {
    static let topic = "events"
    static let partitions = 4

    static let text = """
        {
          "host": { "data_directory": "data" },
          "log": { "type": "embedded", "acknowledge": "fsync" },
          "topics": { "events": { "partitions": \(partitions) } },
          "sources": {
            "events": {
              "type": "http", "method": "POST", "path": "/events",
              "publish": { "topic": "events" }
            }
          }
        }
        """

    /// One event of about 200 bytes.
    static let event: [UInt8] = {
        let start = #"{"user":"u000042","action":"view","page":"/articles/2024/11/martlets","referrer":"https://example.org/","note":""#
        let fill = String(repeating: "x", count: 200 - start.utf8.count - 2)
        return Array((start + fill + #""}"#).utf8)
    }()

    /// As many of them, a line each.
    static func lines(_ count: Int) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(count * (event.count + 1))
        for _ in 0..<count { text += event + [UInt8(ascii: "\n")] }
        return text
    }
}
