import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The host that holds a thousand streams dies while likes come in; its clients go to another one.
    @Suite struct HostDeathTests {
        private static let users = (0..<250).map { "user-\($0)" }
        private static let clientsPerUser = 4
        private static let rounds = 12

        @Test func aThousandClientsMissNothing() async throws {
            let cluster = try Cluster(3, .servers)
            try await cluster.start()
            let crowd = StreamCrowd(users: Self.users.flatMap { Array(repeating: $0, count: Self.clientsPerUser) })
            try await crowd.connect(to: cluster[1].address)
            try await crowd.waitForIDs()
            // Each round is a like for every user; they go on through all that follows.
            let (first, second) = (cluster[0].address, cluster[2].address)
            async let posted: Void = Self.post(to: first, "even")
            async let postedToo: Void = Self.post(to: second, "odd")
            try await crowd.wait(for: 4)
            try await cluster.kill(1)
            try await crowd.waitForEnds()
            try await crowd.connect(to: cluster[2].address)
            try await posted
            try await postedToo
            try await crowd.wait(for: Self.rounds * 2)
            // Nothing more is on its way: the next like is the next message.
            try await cluster[0].likeAll(Self.users.enumerated().map { Like("last", $0.offset, of: $0.element) })
            try await crowd.wait(for: Self.rounds * 2 + 1)
            let expected = ["even", "odd"].flatMap { name in (0..<Self.rounds).map { Like("\(name)-\($0)", of: "").text } }
            #expect(crowd.surprises.isEmpty)
            for (user, texts) in crowd.received {
                #expect(texts.last == Like("last", of: user).text)
                #expect(texts.dropLast().sorted() == expected.sorted(), "a client of \(user)")
                // What one host took in its order came in that order.
                for name in ["even", "odd"] {
                    let ofHost = texts.filter { $0.hasPrefix(name) }
                    #expect(ofHost == (0..<Self.rounds).map { Like("\(name)-\($0)", of: "").text }, "a client of \(user)")
                }
            }
            #expect(try await cluster[2].metrics().value("martlet_http_streams") == crowd.received.count)
        }

        private static func post(to address: String, _ name: String) async throws {
            _ = try await onThreads(2) { half in
                let connection = try HTTPConnection(address)
                for round in 0..<rounds {
                    for (post, user) in users.enumerated() where post % 2 == half {
                        let answer = try connection.post("/likes", Like("\(name)-\(round)", post, of: user).json)
                        guard answer.status == 201 else { throw TestFailure("\(answer.status) \(answer.body)") }
                    }
                }
            }
        }
    }
}
