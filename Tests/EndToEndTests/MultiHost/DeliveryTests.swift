import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Each recipient's message reaches exactly that recipient's connections, on whichever host.
    @Suite struct DeliveryTests {
        /// A client that waits for one recipient's notifications.
        private struct Listener {
            let recipient: String
            let stream: StreamClient

            var texts: [String] { stream.messages.compactMap { $0.text("text") } }
        }

        /// One like for each recipient, of a post of its own.
        private static func likes(_ actor: String, _ recipients: [String]) -> [Like] {
            recipients.enumerated().map { Like(actor, $0, of: $1) }
        }

        private func listener(_ recipient: String, at host: HostProcess) async throws -> Listener {
            let listener = Listener(recipient: recipient, stream: StreamClient(HostProcess.streamPath(of: recipient)))
            try await listener.stream.connect(to: host.address)
            return listener
        }

        @Test(arguments: Cluster.Backend.allCases)
        func messagesReachTheirRecipientsOnEveryHost(_ backend: Cluster.Backend) async throws {
            let cluster = try Cluster(3, backend)
            try await cluster.start()
            let recipients = (0..<8).map { "user-\($0)" }
            var listeners: [Listener] = []
            for (index, recipient) in recipients.enumerated() {
                // One connection on one host, or one on each of two or three.
                for number in 0...(index % 3) { listeners.append(try await listener(recipient, at: cluster[(index + number) % 3])) }
            }
            var expected: [String: Set<String>] = [:]
            for round in 0..<5 {
                for number in 0..<3 {
                    let likes = recipients.enumerated().map { Like("fan-\(round)-\(number)", $0, of: $1) }
                    for like in likes { expected[like.owner, default: []].insert(like.text) }
                    try await cluster[number].likeAll(likes)
                }
            }
            for listener in listeners {
                _ = try await listener.stream.waitForMessages(15)
                #expect(Set(listener.texts) == expected[listener.recipient])
                #expect(listener.texts.count == 15)
                // What one host took in its order comes in that order.
                for number in 0..<3 {
                    let ofHost = listener.texts.filter { $0.contains("-\(number) ") }
                    #expect(ofHost == (0..<5).map { Like("fan-\($0)-\(number)", of: "").text })
                }
            }
            if backend != .plain {
                // Some host writes the rows; every host reads them.
                try await eventually("all rows") { try await cluster[2].notifications(of: "user-3").count == 15 }
            }
        }

        @Test(arguments: Cluster.Backend.allCases)
        func aHostThatDiesLosesNothingForItsClients(_ backend: Cluster.Backend) async throws {
            let cluster = try Cluster(3, backend)
            try await cluster.start()
            let recipients = (0..<60).map { "user-\($0)" }
            var listeners: [Listener] = []
            for recipient in recipients { listeners.append(try await listener(recipient, at: cluster[1])) }
            try await cluster[0].likeAll(Self.likes("before", recipients))
            for listener in listeners { _ = try await listener.stream.waitForMessages(1) }

            try await cluster.kill(1)
            try await cluster[2].likeAll(Self.likes("meanwhile", recipients))
            for listener in listeners { try await listener.stream.waitForEnd() }
            // Likes go on while the clients come back, each with its Last-Event-ID.
            let address = cluster[0].address
            async let posted: Void = onThread {
                let connection = try HTTPConnection(address)
                for round in 0..<5 {
                    for like in Self.likes("during-\(round)", recipients) { _ = try connection.post("/likes", like.json) }
                }
            }
            for listener in listeners { try await listener.stream.connect(to: cluster[2].address) }
            try await posted
            let expected = (["before", "meanwhile"] + (0..<5).map { "during-\($0)" }).map { Like($0, of: "").text }
            for listener in listeners {
                _ = try await listener.stream.waitForMessages(7)
            }
            try await cluster[2].likeAll(Self.likes("after", recipients))
            for listener in listeners {
                _ = try await listener.stream.waitForMessages(8)
                // Nothing missed, nothing twice.
                #expect(listener.texts.count == 8)
                #expect(listener.texts.first == expected.first && listener.texts.last == Like("after", of: "").text)
                #expect(Set(listener.texts.dropLast()) == Set(expected))
            }
        }
    }
}
