import CLinux
import Martlet

/// A host whose group, paused between its turns, writes a topic to a table.
final class SinkHost {
    static let group = "rows"
    private let host: HostProcess

    /// - Parameter database: the block `databases.main` without its braces.
    init(database: String, in folder: TemporaryFolder) throws(BenchmarkError) {
        host = try HostProcess(config: Self.config(database), in: folder)
    }

    /// Publishes rows, while the group is paused.
    func fill(_ rows: Int) throws(BenchmarkError) {
        let line = #"{"recipient":"\#(SinkRows.recipient)","text":"\#(SinkRows.text)"}"# + "\n"
        var left = rows
        while left > 0 {
            let count = min(left, 5_000)
            let status = HTTPProbe.send(
                "POST", port: host.port, path: "/events", type: "application/x-ndjson",
                body: Array(String(repeating: line, count: count).utf8)
            ).status
            guard (200..<300).contains(status) else { throw BenchmarkError("the host refuses events with \(status): \(host.process.output)") }
            left -= count
        }
    }

    /// Lets the group go, waits until it has handled all, and pauses it; returns the seconds that it took.
    ///
    /// - Parameter rows: published since the start.
    func empty(of rows: Int) throws(BenchmarkError) -> Double {
        let start = MonotonicClock.now
        try tell("resume")
        var end = start
        // Each look has the host render its metrics, so there are few.
        let isDone = MonotonicClock.wait(atMost: 300, every: 0.01) {
            end = MonotonicClock.now
            return handled >= rows
        }
        guard isDone else { throw BenchmarkError("only \(handled) of \(rows) rows within 300 s: \(host.process.output)") }
        try tell("pause")
        return Double(end - start) / 1e9
    }

    private func tell(_ verb: String) throws(BenchmarkError) {
        let status = HTTPProbe.send("POST", port: host.adminPort, path: "/v1/groups/\(Self.group)/\(verb)").status
        guard (200..<300).contains(status) else { throw BenchmarkError("the group does not \(verb): \(status)") }
    }

    func stop() {
        host.stop()
    }

    private var handled: Int {
        HTTPProbe.send("GET", port: host.adminPort, path: "/metrics").body.split(separator: "\n")
            .filter { $0.hasPrefix("martlet_group_handled_total{") }
            .reduce(0) { $0 + ($1.split(separator: " ").last.flatMap { Int($0) } ?? 0) }
    }

    private static func config(_ database: String) -> String {
        """
        {
          "host": { "data_directory": "data" },
          "databases": { "main": { \(database), "schema": [{ "id": "001", "sql": "\(SinkRows.table)" }] } },
          "topics": { "events": { "partitions": 4 } },
          "sources": { "events": { "type": "http", "method": "POST", "path": "/events", "publish": { "topic": "events" } } },
          "groups": {
            "\(group)": {
              "topics": ["events"], "paused": true, "batch_events": \(SinkRows.batch),
              "sink": {
                "type": "table", "database": "main", "table": "notifications", "on_conflict": "ignore",
                "columns": { "id": "${@id}", "recipient": "${/recipient}", "text": "${/text}", "created_at": "${@timestamp}" }
              }
            }
          }
        }
        """
    }
}
