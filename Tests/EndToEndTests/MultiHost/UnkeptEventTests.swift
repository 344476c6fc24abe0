import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A source that publishes on the bus: who is connected gets its events, and nothing keeps them.
    @Suite struct UnkeptEventTests {
        private static var typing: [String: Any] {
            let payload = ["text": "${/from} is typing"]
            return [
                "type": "http", "path": "/typing",
                "publish": ["pubsub": "bus", "channel": "notifications", "key": "${/to}", "payload": payload],
            ]
        }

        private func post(_ host: HostProcess, _ from: String) async throws -> HTTPAnswer {
            try await host.post("/typing", #"{"to":"bob","from":"\#(from)"}"#)
        }

        @Test(arguments: Cluster.Backend.allCases)
        func whoIsConnectedGetsThemInOrderAndNothingKeepsThem(_ backend: Cluster.Backend) async throws {
            let cluster = try Cluster(2, backend) { _, config in config.set("sources", "typing", to: Self.typing) }
            try await cluster.start()
            let stream = StreamClient(HostProcess.streamPath(of: "bob"))
            let other = StreamClient(HostProcess.streamPath(of: "ann"))
            try await stream.connect(to: cluster[0].address)
            try await other.connect(to: cluster[0].address)
            try await cluster[0].likeAll([Like("first", of: "bob")])
            let liked = try await stream.waitForMessages(1)
            // From this host, and from the other over the bus.
            for number in 0..<20 {
                let answer = try await post(cluster[number / 10], "a\(number)")
                #expect(answer.status == 202)
                #expect(answer.body.hasPrefix(#"{"id":"0"#) && !answer.body.contains("offset"))
            }
            let messages = try await stream.waitForMessages(21)
            #expect(messages.dropFirst().map { $0.text("text") } == (0..<20).map { "a\($0) is typing" })
            // They have no place in the log: a client resumes behind the like.
            #expect(stream.lastID == liked[0].id)

            try await stream.disconnect()
            #expect(try await post(cluster[1], "missed").status == 202)
            try await cluster[1].likeAll([Like("second", of: "bob")])
            try await stream.connect(to: cluster[1].address)
            let resumed = try await stream.waitForMessages(22)
            #expect(resumed.last?.text("text") == Like("second", of: "bob").text)
            #expect(try await post(cluster[0], "again").status == 202)
            #expect(try await stream.waitForMessages(23).last?.text("text") == "again is typing")
            #expect(stream.messages.count == 23)
            #expect(other.messages.isEmpty)
            try await eventually("two rows") { try await cluster[0].notifications(of: "bob").count == 2 }
        }

        @Test func aBusThatIsAwayIsAnAnswer() async throws {
            let cluster = try Cluster(1, .servers) { _, config in config.set("sources", "typing", to: Self.typing) }
            try await cluster.start()
            #expect(try await post(cluster[0], "ann").status == 202)
            try cluster.redis?.stop()
            try await eventually("a refusal") {
                let answer = try await post(cluster[0], "ann")
                return answer.status == 503 && answer.headers["retry-after"] != nil && answer.body.contains("redis.")
            }
            // What is kept is taken all the same.
            try await cluster[0].likeAll([Like("ann", of: "bob")])
        }
    }
}
