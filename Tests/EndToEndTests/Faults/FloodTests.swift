import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// More messages than a host reads in time. A bus does not wait for its subscribers: it cuts off one that is too slow, whose
    /// clients then get from the log what it missed.
    @Suite struct FloodTests {
        private static let recipients = (0..<8).map { "user-\($0)" }
        /// For each of them. All together are more than the sockets hold.
        private static let count = 600
        private static let filler = String(repeating: "x", count: 4_096)

        /// Not with Kafka: the brokers of the tests keep less than the flood, and the stopped host's part of the group would wait.
        @Test(arguments: [Cluster.Backend.plain, .servers])
        func clientsOfAHostThatWasCutOffMissNothing(_ backend: Cluster.Backend) async throws {
            let cluster = try Cluster(2, backend) { number, config in
                config.set("sources", "flood", to: [
                    "type": "http", "method": "POST", "path": "/flood", "publish": ["topic": "notifications", "key": "${/recipient}"],
                ])
                if backend == .plain, number == 0 { config.set("pubsub", "bus", "max_queued_bytes", to: 1 << 20) }
            }
            try await cluster.start()
            if let redis = cluster.redis {
                try redis.run("redis-cli -u \(redis.address) config set client-output-buffer-limit 'pubsub 1mb 0 0'")
            }
            var streams: [StreamClient] = []
            for recipient in Self.recipients {
                let stream = try await cluster[1].openStream(of: recipient)
                streams.append(stream)
            }
            let gaps = try await cluster[1].metrics().value("martlet_redis_gaps_total", ["pubsub": "bus"]) ?? 0

            cluster[1].signal(SIGSTOP)
            defer { cluster[1].signal(SIGCONT) }
            for first in stride(from: 0, to: Self.count, by: 50) {
                let lines = (first..<first + 50).flatMap { number in
                    Self.recipients.map { #"{"type":"like","recipient":"\#($0)","actor":"fan","post_id":1,"text":"\#(number) \#(Self.filler)"}"# }
                }
                let answer = try await cluster[0].send(
                    "POST", "/flood", headers: ["Content-Type: application/x-ndjson"], body: lines.joined(separator: "\n") + "\n")
                try #require((200..<300).contains(answer.status), "\(answer)")
            }
            let total = Self.count * Self.recipients.count
            try await eventually("all published", within: .seconds(60)) {
                try await cluster[0].published >= total
            }
            cluster[1].signal(SIGCONT)

            let wanted = (0..<Self.count).map { "\($0) " + Self.filler }
            for stream in streams {
                // One that is sent more than it reads is told to come back.
                try await eventually("the messages of a client", within: .seconds(60)) {
                    if !stream.isConnected { try await stream.connect(to: cluster[1].address) }
                    return stream.messages.count >= Self.count
                }
                #expect(stream.messages.compactMap { $0.text("text") } == wanted)
            }
            let found = try await cluster[1].metrics().value("martlet_redis_gaps_total", ["pubsub": "bus"]) ?? 0
            #expect(found > gaps, "the host was not cut off")
        }
    }
}

extension HostProcess {
    /// Records that the group of the shipped config has put on the bus.
    fileprivate var published: Int {
        get async throws {
            try await metrics().value("martlet_group_handled_total", ["group": "notification-push"]) ?? 0
        }
    }
}
