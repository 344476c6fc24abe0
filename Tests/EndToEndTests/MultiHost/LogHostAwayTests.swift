import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The host with the log goes away and comes back.
    @Suite struct LogHostAwayTests {
        @Test func likesAreSavedAndStreamsCatchUp() async throws {
            let cluster = try Cluster(2, .plain)
            try await cluster.start()
            let host = cluster[1]
            let open = try await host.openStream(of: "bob")
            let left = try await host.openStream(of: "bob")
            try await host.likeAll([Like("first", of: "bob")])
            _ = try await open.waitForMessages(1)
            _ = try await left.waitForMessages(1)
            try await left.disconnect()

            try await cluster.kill(0)
            // The outbox keeps what the log cannot take.
            try await host.likeAll((0..<20).map { Like("away-\($0)", of: "bob") })
            #expect(try await host.get("/users/bob/notifications").status == 200)
            #expect(open.isConnected)
            // Ready all the same: it would be no better with the host out of service.
            try await eventually("the host says what is wrong") {
                let ready = try await host.admin("/readyz")
                #expect(ready.status == 200)
                return ready.body.contains("degraded")
            }

            // A client that resumes meanwhile waits; the host comes back before it is put off.
            let address = host.address
            async let connected: Void = left.connect(to: address)
            try await cluster.start(0)
            try await connected
            for stream in [open, left] {
                let texts = try await stream.waitForMessages(21).compactMap { $0.text("text") }
                #expect(texts == [Like("first", of: "").text] + (0..<20).map { Like("away-\($0)", of: "").text })
            }
            try await eventually("an empty outbox") {
                try SQLiteFile(path: cluster.folders[1]["data/main.db"]).count("SELECT COUNT(*) FROM martlet_outbox") == 0
            }
            // Groups ran on the host with the log only.
            let rows = try SQLiteFile(path: cluster.folders[0]["data/main.db"]).count("SELECT COUNT(*) FROM notifications")
            #expect(rows == 21)
            #expect(try SQLiteFile(path: cluster.folders[1]["data/main.db"]).count("SELECT COUNT(*) FROM notifications") == 0)
        }

        @Test func aResumeIsPutOffWhenItTakesTooLong() async throws {
            let cluster = try Cluster(2, .plain)
            try await cluster.start()
            let stream = try await cluster[1].openStream(of: "bob")
            try await eventually("a first id") { stream.lastID != nil }
            let id = stream.lastID
            try await stream.disconnect()
            try await cluster.kill(0)
            // A stream that only says when to come back; its client keeps its id.
            try await stream.connect(to: cluster[1].address)
            try await stream.waitForEnd()
            #expect(stream.lastID == id)
            #expect(stream.messages.isEmpty)
            // One that does not resume needs no log.
            let fresh = try await cluster[1].openStream(of: "bob")
            #expect(fresh.isConnected)
        }

        @Test func aHostStartsBeforeTheHostWithTheLog() async throws {
            let cluster = try Cluster(2, .plain)
            try await cluster.start(1)
            let ready = try await cluster[1].admin("/readyz")
            #expect(ready.status == 503)
            #expect(ready.body.contains("the log's host does not answer"))
            try await eventually("an open outbox") { try await cluster[1].like(Like("early", of: "bob")).status != 503 }
            try await cluster.start(0)
            try await cluster[1].waitUntilReady()
            let stream = try await cluster[1].openStream(of: "bob", query: "?last_event_id=earliest")
            #expect(try await stream.waitForMessages(1).first?.text("text") == Like("early", of: "").text)
        }

        @Test func aLogThatWasWipedIsNoticed() async throws {
            let cluster = try Cluster(2, .plain)
            try await cluster.start()
            let stream = try await cluster[1].openStream(of: "bob")
            try await cluster[1].likeAll((0..<5).map { Like("old-\($0)", of: "bob") })
            _ = try await stream.waitForMessages(5)
            try await cluster.stop(0)
            try FileManager.default.removeItem(atPath: cluster.folders[0]["data/log"])
            try await cluster.start(0)
            // Its positions mean nothing any more: the channel begins anew, and its clients come back.
            try await stream.waitForEnd()
            try await cluster[1].waitUntilReady()
            try await eventually("a new stream") {
                (try? await stream.connect(to: cluster[1].address)) != nil
            }
            try await cluster[1].likeAll([Like("new", of: "bob")])
            let messages = try await eventually("the new message") {
                let messages = stream.messages
                return messages.last?.text("text") == Like("new", of: "").text ? messages : nil
            }
            #expect(messages.contains { $0.name == "gap" && $0.data.contains("unknown_id") })
        }

        @Test func aWrongTokenIsSaidClearly() async throws {
            let cluster = try Cluster(2, .plain) { number, config in
                if number == 1 { config.set("log", "token", to: "wrong") }
            }
            try await cluster.start(0)
            try await cluster.start(1)
            let text = try await eventually("the reason") {
                let text = try await cluster[1].admin("/readyz").body
                return text.contains("log.token") ? text : nil
            }
            #expect(text.contains("must be the `host.admin_token` of the log's host"))
            #expect(!cluster[1].log.contains("wrong") && !cluster[1].log.contains(Cluster.token))
        }

        @Test func aTopicThatTheLogLacksIsNamed() async throws {
            let cluster = try Cluster(2, .plain) { number, config in
                if number == 1 {
                    config.set("topics", "extra", to: ["partitions": 1])
                    config.set("topics", "notifications", "partitions", to: 2)
                }
            }
            try await cluster.start(0)
            try await cluster.start(1)
            let body = try await eventually("the reason") {
                let body = try await cluster[1].admin("/readyz").body
                return body.contains("no topic extra") ? body : nil
            }
            #expect(body.contains("add it to `topics` there"))
            #expect(cluster[1].logLines(containing: "has 2 partitions in this host's config and 4 on the log's host").count == 1)
        }

        @Test func groupsSayWhereTheyRun() async throws {
            let cluster = try Cluster(2, .plain)
            try await cluster.start()
            let admin = "http://" + cluster[1].adminAddress
            let list = try await Cluster.command(["groups", "--admin", admin], in: cluster.folders[1])
            #expect(list.code == 0)
            #expect(list.output.contains("elsewhere"))
            #expect(list.output.contains("run on the host that has the log: --admin http://127.0.0.1:"))
            let pause = try await Cluster.command(["groups", "pause", "notification-push", "--admin", admin], in: cluster.folders[1])
            #expect(pause.code == 1)
            #expect(pause.output.contains("groups run on the host that has the log"))
            #expect(cluster[1].logLines(containing: "groups run on the host that has the log").count == 1)
        }
    }
}
