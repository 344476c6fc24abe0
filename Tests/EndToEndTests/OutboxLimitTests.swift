import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The outbox is bounded: past its limit a like is refused, and not saved.
    @Suite struct OutboxLimitTests {
        private static let refusing = ["log.min_free_bytes=1125899906842624", "host.outbox_limit_events=20"]

        @Test func aFullOutboxRefusesLikesWithoutSavingThem() async throws {
            let folder = try TemporaryFolder()
            try TestConfig.copyShipped(to: folder)
            var host = try await HostProcess.start(in: folder, set: Self.refusing)
            try await host.waitUntilSaving()
            try await host.likeAll((1...20).map { Like("a\($0)", of: "bob") })
            let refused = try await host.like(Like("late", of: "bob"))
            #expect(refused.status == 503)
            #expect(refused.headers["content-type"] == "application/problem+json")
            #expect(refused.text("code") == "outbox.full")
            #expect(refused.headers["retry-after"].flatMap { Int($0) } ?? 0 >= 1)
            let file = SQLiteFile(path: folder["data/main.db"])
            #expect(try file.count("SELECT COUNT(*) FROM likes") == 20)
            #expect(try await host.stop() == 0)

            // The limit holds for what a crash or a stop left behind, too.
            host = try await HostProcess.start(in: folder, set: Self.refusing)
            try await eventually("the outbox's own refusal") {
                try await host.like(Like("late", of: "bob")).text("code") == "outbox.full"
            }
            #expect(try await host.stop() == 0)

            host = try await HostProcess.start(in: folder, set: [Self.refusing[1]])
            try await host.waitUntilReady()
            try await eventually("room in the outbox") { try await host.like(Like("late", of: "bob")).status == 201 }
            try await eventually("all rows") { try file.count("SELECT COUNT(*) FROM notifications") == 21 }
            #expect(try await host.stop() == 0)
        }

        @Test func theLimitHoldsForRequestsThatComeTogether() async throws {
            let folder = try TemporaryFolder()
            try TestConfig.copyShipped(to: folder)
            let host = try await HostProcess.start(in: folder, set: Self.refusing)
            try await host.waitUntilSaving()
            let address = host.address
            let statuses = try await onThreads(8) { poster in
                let connection = try HTTPConnection(address)
                // All at once: pipelined.
                for number in 0..<20 {
                    try connection.send(
                        HTTPConnection.text(
                            "POST", "/likes", headers: ["Content-Type: application/json"],
                            body: Like("p\(poster)-\(number)", of: "bob").json))
                }
                return try (0..<20).map { _ in try connection.readAnswer().status }
            }.flatMap { $0 }
            #expect(statuses.filter { $0 == 201 }.count == 20)
            #expect(statuses.filter { $0 == 503 }.count == 140)
            #expect(try await host.metrics().value("martlet_outbox_events") == 20)
            #expect(try await host.stop() == 0)
            #expect(try SQLiteFile(path: folder["data/main.db"]).count("SELECT COUNT(*) FROM likes") == 20)
        }

        /// What the log could never take must not be saved: it would hold up all that comes after it.
        @Test func anEventThatTheLogCannotTakeIsRefusedAtTheDoor() async throws {
            let folder = try TemporaryFolder()
            var config = try TestConfig.shipped()
            config.set("log", "max_record_bytes", to: 2048)
            config.set("sources", "likes", "body_schema", to: nil)
            config.set("sources", "likes", "publish", "payload", to: nil)
            config.set("groups", "notification-store", "transforms", to: [])
            config.set("groups", "notification-store", "sink", "columns", "recipient", to: "${@key}")
            config.set("groups", "notification-store", "sink", "columns", "text", to: "${/actor}")
            try config.write(to: folder)
            let host = try await HostProcess.start(in: folder)
            try await host.waitUntilReady()
            let padding = String(repeating: "x", count: 4000)
            let refused = try await host.post(
                "/likes", #"{"actor":"big","post_id":1,"post_owner":"bob","padding":"\#(padding)"}"#)
            #expect(refused.status == 422)
            #expect(refused.headers["content-type"] == "application/problem+json")
            #expect(refused.text("code") == "log.record_too_large")
            try await host.likeAll([Like("small", of: "bob")])
            let file = SQLiteFile(path: folder["data/main.db"])
            try await eventually("the one that came after") {
                try file.rows("SELECT text FROM notifications") == [["small"]]
            }
            #expect(try file.rows("SELECT actor FROM likes") == [["small"]])
            #expect(try await host.stop() == 0)
        }
    }
}
