import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A host dies with likes in its outbox that the log could not take: another one publishes them.
    @Suite struct AdoptionTests {
        @Test func theOutboxOfADeadHostIsPublishedByAnother() async throws {
            let cluster = try Cluster(3, .servers) { _, config in config.set("host", "outbox_lease_seconds", to: 2) }
            try await cluster.start()
            let server = try #require(cluster.postgreSQL)
            let stream = try await cluster[2].openStream(of: "bob")
            try await cluster.kill(0)
            let likes = (0..<20).map { Like("fan-\($0)", of: "bob") }
            try await cluster[1].likeAll(likes)
            #expect(try await server.sql.count("SELECT count(*) FROM martlet_outbox") == 20)
            // As long as it lives and renews its lease, nobody else publishes its rows.
            let lease = "SELECT max(lease_until) FROM martlet_outbox_owners WHERE owner IN (SELECT owner FROM martlet_outbox)"
            let first = try await server.sql.count(lease)
            try await eventually("a lease renewed twice") { try await server.sql.count(lease) > first + 1_000 }
            #expect(cluster[2].logLines(containing: "publishing the outbox of a host that is gone").isEmpty)
            try await cluster.kill(1)
            try await cluster.start(0)

            let messages = try await stream.waitForMessages(20)
            #expect(messages.compactMap { $0.text("text") } == likes.map(\.text))
            try await eventually("an empty outbox") { try await server.sql.count("SELECT count(*) FROM martlet_outbox") == 0 }
            let adoptions = [cluster[0], cluster[2]].flatMap { $0.logLines(containing: "publishing the outbox of a host that is gone") }
            #expect(adoptions.count == 1)
            #expect(try await cluster[2].metrics().value("martlet_outbox_events") == 0)

            // It comes back and publishes nothing again; what it takes now goes through.
            try await cluster.start(1)
            try await cluster[1].waitUntilReady()
            try await cluster[1].likeAll([Like("back", of: "bob")])
            #expect(try await stream.waitForMessages(21).last?.text("text") == Like("back", of: "").text)
            try await eventually("all rows") { try await server.sql.count("SELECT count(*) FROM notifications") == 21 }
            #expect(stream.messages.count == 21)
        }

        /// The host that adopts cannot reach the log either, for longer than a lease; then it can.
        @Test func anAdoptedOutboxWaitsForTheLog() async throws {
            let cluster = try Cluster(3, .servers) { _, config in config.set("host", "outbox_lease_seconds", to: 1) }
            try await cluster.start()
            let server = try #require(cluster.postgreSQL)
            try await cluster.kill(0)
            let likes = (0..<20).map { Like("fan-\($0)", of: "bob") }
            try await cluster[1].likeAll(likes)
            try await cluster.kill(1)
            try await eventually("an adoption") { !cluster[2].logLines(containing: "publishing the outbox of a host that is gone").isEmpty }
            let lease = "SELECT max(lease_until) FROM martlet_outbox_owners WHERE owner IN (SELECT owner FROM martlet_outbox)"
            let first = try await server.sql.count(lease)
            try await eventually("a lease renewed twice") { try await server.sql.count(lease) > first + 500 }
            try await cluster.start(0)
            try await eventually("all rows") { try await server.sql.count("SELECT count(*) FROM notifications") == 20 }
            try await eventually("an empty outbox") { try await server.sql.count("SELECT count(*) FROM martlet_outbox") == 0 }
        }
    }
}
