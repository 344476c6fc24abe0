import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The shipped config.json does what the README shows.
    @Suite struct FlowTests {
        @Test func aLikeIsAnsweredPushedAndListed() async throws {
            let folder = try TemporaryFolder()
            let host = try await HostProcess.startShipped(in: folder)
            let stream = try await host.openStream(of: "bob")

            let answer = try await host.like(Like("ann", 7, of: "bob"))
            #expect(answer.status == 201)
            let id = try #require(answer.text("id"))
            #expect(id.count == 36)

            let message = try #require(try await stream.waitForMessages(1).first)
            #expect(message.name == "message")
            #expect(
                message.data
                    == #"{"type":"like","recipient":"bob","actor":"ann","post_id":7,"text":"ann liked your post"}"#)

            let rows = try await eventually("a row in the list") {
                let rows = try await host.notifications(of: "bob")
                return rows.isEmpty ? nil : rows
            }
            #expect(rows.count == 1)
            #expect(rows[0]["id"] as? String == id)
            #expect(rows[0]["text"] as? String == "ann liked your post")
            #expect(try await host.notifications(of: "ann").isEmpty)

            #expect(try await host.stop() == 0)
            try await stream.waitForEnd()
            let file = SQLiteFile(path: folder["data/main.db"])
            #expect(try file.rows("SELECT post_id, actor FROM likes") == [["7", "ann"]])
            #expect(try file.rows("SELECT id, recipient FROM notifications") == [[id, "bob"]])
            #expect(try file.count("SELECT COUNT(*) FROM martlet_outbox") <= 1)
        }

        @Test func repeatedLikesAndSelfLikesNotifyNobody() async throws {
            let folder = try TemporaryFolder()
            let host = try await HostProcess.startShipped(in: folder)
            let stream = try await host.openStream(of: "bob")

            let first = Like("ann", of: "bob")
            #expect(try await host.like(first).status == 201)
            let again = try await host.like(first)
            #expect(again.status == 200)
            #expect(again.text("status") == "unchanged")
            #expect(try await host.like(Like("bob", of: "bob")).status == 201)
            // Same partition and order as the others: when it has come, they would have.
            #expect(try await host.like(Like("cid", of: "bob")).status == 201)

            _ = try await stream.waitForMessages(2)
            try await eventually("two rows") { try await host.notifications(of: "bob").count == 2 }
            #expect(stream.messages.map { $0.text("actor") } == ["ann", "cid"])
            let rows = try await host.notifications(of: "bob")
            #expect(rows.map { $0["text"] as? String } == ["cid liked your post", "ann liked your post"])
            #expect(try await host.stop() == 0)
            #expect(try SQLiteFile(path: folder["data/main.db"]).count("SELECT COUNT(*) FROM likes") == 3)
        }

        @Test func aStreamResumesAfterADisconnect() async throws {
            let folder = try TemporaryFolder()
            let host = try await HostProcess.startShipped(in: folder)
            let stream = try await host.openStream(of: "bob")
            try await host.likeAll([Like("a1", of: "bob"), Like("a2", of: "bob")])
            _ = try await stream.waitForMessages(2)
            try await stream.disconnect()

            try await host.likeAll([Like("a3", of: "bob"), Like("other", of: "eve"), Like("bob", of: "bob"), Like("a4", of: "bob")])
            try await stream.connect(to: host.address)
            _ = try await stream.waitForMessages(4)
            try await host.likeAll([Like("a5", of: "bob")])
            _ = try await stream.waitForMessages(5)
            #expect(stream.messages.map { $0.text("actor") } == ["a1", "a2", "a3", "a4", "a5"])
            #expect(try await host.stop() == 0)
        }

        @Test func aStreamThatSawNothingResumesWhereItConnected() async throws {
            let folder = try TemporaryFolder()
            let host = try await HostProcess.startShipped(in: folder)
            // Pushed by the time the stream connects; that it is stored says nothing of that.
            let earlier = try await host.openStream(of: "bob")
            try await host.likeAll([Like("before", of: "bob")])
            _ = try await earlier.waitForMessages(1)
            let stream = try await host.openStream(of: "bob")
            try await eventually("an id without an event") { stream.lastID != nil }
            try await stream.disconnect()
            try await host.likeAll([Like("after", of: "bob")])
            try await stream.connect(to: host.address)
            let messages = try await stream.waitForMessages(1)
            #expect(messages.map { $0.text("actor") } == ["after"])
            #expect(try await host.stop() == 0)
        }

        @Test func aStreamResumesAfterARestart() async throws {
            let folder = try TemporaryFolder()
            var host = try await HostProcess.startShipped(in: folder)
            let stream = try await host.openStream(of: "bob")
            try await host.likeAll([Like("a1", of: "bob")])
            _ = try await stream.waitForMessages(1)
            #expect(try await host.stop() == 0)
            try await stream.waitForEnd()

            host = try await HostProcess.start(in: folder)
            try await host.waitUntilReady()
            try await host.likeAll([Like("a2", of: "bob")])
            try await stream.connect(to: host.address)
            try await host.likeAll([Like("a3", of: "bob")])
            _ = try await stream.waitForMessages(3)
            #expect(stream.messages.map { $0.text("actor") } == ["a1", "a2", "a3"])
            #expect(try await host.stop() == 0)
        }

        /// Clients come and go, and the host restarts in the middle, while others publish all the time.
        @Test func nothingIsMissedOrSeenTwiceWhileOthersPublish() async throws {
            let folder = try TemporaryFolder()
            try TestConfig.copyShipped(to: folder)
            let owners = ["bob", "eve", "kim"]
            let streams = owners.map { StreamClient(HostProcess.streamPath(of: $0)) }
            for half in 0..<2 {
                let host = try await HostProcess.start(in: folder)
                try await host.waitUntilReady()
                for stream in streams { try await stream.connect(to: host.address) }
                let address = host.address
                async let publishing: Void = publish(to: address, owners: owners, half: half, publishers: 4, each: 150)
                for round in 0..<12 {
                    let stream = streams[round % streams.count]
                    let seen = stream.messages.count
                    try await eventually("progress of a stream") { stream.messages.count >= seen + 5 || stream.messages.count >= 190 * (half + 1) }
                    try await stream.disconnect()
                    try await stream.connect(to: host.address)
                }
                try await publishing
                if half == 0 {
                    #expect(try await host.stop() == 0)
                    for stream in streams { try await stream.waitForEnd() }
                } else {
                    for stream in streams { _ = try await stream.waitForMessages(400) }
                    #expect(try await host.stop() == 0)
                }
            }
            let file = SQLiteFile(path: folder["data/main.db"])
            for (owner, stream) in zip(owners, streams) {
                let stored = try file.rows("SELECT text FROM notifications WHERE recipient = '\(owner)' ORDER BY rowid").map { $0[0] }
                #expect(stored.count == 400)
                #expect(Set(stored).count == 400)
                // One recipient is one partition, so that both groups see one order.
                #expect(stream.messages.compactMap { $0.text("text") } == stored)
            }
        }

        private func publish(to address: String, owners: [String], half: Int, publishers: Int, each: Int) async throws {
            _ = try await onThreads(publishers) { publisher in
                let connection = try HTTPConnection(address)
                for number in 0..<each {
                    let like = Like("p\(half)-\(publisher)-\(number)", of: owners[number % owners.count])
                    let answer = try connection.post("/likes", like.json)
                    guard answer.status == 201 else { throw TestFailure("\(like): \(answer.status) \(answer.body)") }
                }
            }
        }
    }
}
