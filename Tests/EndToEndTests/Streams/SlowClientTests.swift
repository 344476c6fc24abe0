import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// A client that reads nothing, among 5,000 that do.
    @Suite struct SlowClientTests {
        private static let others = 5_000
        private static let readers = 20

        private let config = """
            {
              "host": { "data_directory": "data" },
              "pubsub": { "bus": { "type": "memory" } },
              "topics": { "messages": { "partitions": 2 } },
              "sources": { "messages": { "type": "http", "path": "/messages/{user}", "publish": { "topic": "messages", "key": "${@path.user}" } } },
              "groups": { "push": { "topics": ["messages"], "sink": { "type": "pubsub", "pubsub": "bus", "channel": "messages" } } },
              "channels": {
                "stream": {
                  "type": "sse", "path": "/users/{user}/stream", "subscribe": { "pubsub": "bus", "channel": "messages" },
                  "match": { "message": "${@key}", "connection": "${@path.user}" }, "replay": { "group": "push" },
                  "buffer_bytes": 262144, "max_new_connections_per_second": 100000
                }
              }
            }
            """

        @Test func aSlowClientDelaysNobody() async throws {
            Self.raiseOpenFileLimit()
            let folder = try TemporaryFolder()
            try folder.write(config, to: "config.json")
            let host = try await HostProcess.start(in: folder)
            try await host.waitUntilReady()
            let address = host.address
            let crowd = try await onThread {
                try (0..<Self.others).map { number in
                    let connection = try HTTPConnection(address)
                    try connection.send(HTTPConnection.text("GET", "/users/crowd-\(number)/stream", headers: []))
                    return connection
                }
            }
            let slow = try HTTPConnection(address)
            try slow.send(HTTPConnection.text("GET", "/users/slow/stream", headers: []))
            let clients = (0..<Self.readers).map { StreamClient("/users/reader-\($0)/stream") }
            for client in clients { try await client.connect(to: address) }
            try await eventually("all streams") {
                try await host.admin("/metrics").body.contains(#"martlet_sse_connections{channel="stream"} \#(Self.others + 1 + Self.readers)"#)
            }
            let before = try host.residentKiB()

            // The kernel takes a few megabytes for it; what comes then waits with the host, and soon is too much.
            let flood = (0..<1_000).map { #"{"n":\#($0),"text":"\#(String(repeating: "x", count: 4_000))"}"# }.joined(separator: "\n")
            for round in 0..<4 {
                let answer = try await host.send("POST", "/messages/slow", headers: ["Content-Type: application/x-ndjson"], body: flood)
                #expect(answer.status == 200 || answer.status == 202, "\(answer.status) \(answer.body.prefix(200))")
                for (number, client) in clients.enumerated() {
                    let answer = try await host.post("/messages/reader-\(number)", #"{"n":"\#(round)"}"#)
                    #expect(answer.status == 202)
                    #expect(try await client.waitForMessages(round + 1).map { $0.text("n") } == (0...round).map(String.init))
                }
            }
            try await eventually("the end of the slow one") {
                try await host.admin("/metrics").body.contains(#"martlet_sse_disconnects_total{channel="stream",reason="slow"} 1"#)
            }
            // 16 MB were sent to it, of which the host keeps its buffer, and the log its own.
            #expect(try host.residentKiB() - before < 120 * 1_024)
            let metrics = try await host.admin("/metrics").body
            #expect(metrics.contains(#"martlet_sse_connections{channel="stream"} \#(Self.others + Self.readers)"#))
            #expect(metrics.contains(#"martlet_sse_disconnects_total{channel="stream",reason="client"} 0"#))
            for client in clients { try await client.disconnect() }
            for connection in crowd { connection.close() }
            slow.close()
            #expect(try await host.stop() == 0)
        }

        private static func raiseOpenFileLimit() {
            var limit = rlimit()
            getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            limit.rlim_cur = min(limit.rlim_max, 65_536)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
    }
}

extension HostProcess {
    /// What the host has in memory.
    func residentKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
        guard let number = line.flatMap({ Int($0.filter(\.isNumber)) }) else { throw TestFailure("no VmRSS in \(status)") }
        return number
    }
}
