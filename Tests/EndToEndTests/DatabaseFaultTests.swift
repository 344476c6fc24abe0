import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The database is away: a clear 503, nothing acknowledged, and all goes on when it is back.
    @Suite struct DatabaseFaultTests {
        @Test func aHostStartsWithoutItsDatabase() async throws {
            let folder = try TemporaryFolder()
            var config = try TestConfig.shipped()
            config.set("databases", "main", "path", to: "elsewhere/main.db")
            try config.write(to: folder)
            let host = try await HostProcess.start(in: folder)
            let reason = try await host.waitingReason(of: "databases.main")
            #expect(reason.contains("the folder `elsewhere` of elsewhere/main.db cannot be used (No such file or directory)"))
            let refused = try await host.like(Like("ann", of: "bob"))
            #expect(refused.status == 503)
            #expect(refused.headers["retry-after"] != nil)
            #expect(refused.headers["content-type"] == "application/problem+json")
            let query = try await host.get("/users/bob/notifications")
            #expect(query.status == 503)
            #expect(query.headers["content-type"] == "application/problem+json")

            try FileManager.default.createDirectory(atPath: folder["elsewhere"], withIntermediateDirectories: true)
            try await host.waitUntilReady()
            #expect(try await host.like(Like("ann", of: "bob")).status == 201)
            try await eventually("the row") { try await host.notifications(of: "bob").count == 1 }
            #expect(try await host.stop() == 0)
        }

        @Test func aDatabaseThatIsMovedAwayComesBack() async throws {
            let folder = try TemporaryFolder()
            var config = try TestConfig.shipped()
            config.set("databases", "main", "path", to: "store/main.db")
            try config.write(to: folder)
            try FileManager.default.createDirectory(atPath: folder["store"], withIntermediateDirectories: true)
            let host = try await HostProcess.start(in: folder)
            try await host.waitUntilReady()
            let stream = StreamClient(HostProcess.streamPath(of: "bob"))
            try await host.connect(stream)
            try await host.likeAll((1...10).map { Like("a\($0)", of: "bob") })
            _ = try await stream.waitForMessages(10)

            try FileManager.default.moveItem(atPath: folder["store"], toPath: folder["moved"])
            let refused = try await host.like(Like("away", of: "bob"))
            #expect(refused.status == 503)
            #expect(refused.text("code") == "sqlite.cannot_open")
            #expect(refused.headers["retry-after"] != nil)
            #expect(try await host.get("/users/bob/notifications").status == 503)
            // The host does not make an empty one in its place.
            try FileManager.default.createDirectory(atPath: folder["store"], withIntermediateDirectories: true)
            #expect(try await host.like(Like("away", of: "bob")).status == 503)
            #expect(!FileManager.default.fileExists(atPath: folder["store/main.db"]))
            try FileManager.default.removeItem(atPath: folder["store"])
            try FileManager.default.moveItem(atPath: folder["moved"], toPath: folder["store"])

            try await eventually("likes again") { try await host.like(Like("back", of: "bob")).status == 201 }
            let messages = try await stream.waitForMessages(11)
            #expect(messages.last?.text("actor") == "back")
            let file = SQLiteFile(path: folder["store/main.db"])
            try await eventually("all rows") { try file.count("SELECT COUNT(*) FROM notifications") == 11 }
            #expect(try file.count("SELECT COUNT(*) FROM likes WHERE actor = 'away'") == 0)
            #expect(try await host.stop() == 0)
        }

        /// Another process holds the file's write lock for longer than `busy_timeout_ms`.
        @Test func aLockedDatabaseIsA503() async throws {
            let folder = try TemporaryFolder()
            var config = try TestConfig.shipped()
            config.set("databases", "main", "busy_timeout_ms", to: 50)
            try config.write(to: folder)
            let host = try await HostProcess.start(in: folder)
            try await host.waitUntilReady()
            let lock = try SQLiteLock(path: folder["data/main.db"])
            let refused = try await host.like(Like("ann", of: "bob"))
            #expect(refused.status == 503)
            #expect(refused.text("code") == "sqlite.busy")
            lock.release()
            try await eventually("likes again") { try await host.like(Like("ann", of: "bob")).status == 201 }
            try await eventually("the row") { try await host.notifications(of: "bob").count == 1 }
            #expect(try await host.stop() == 0)
        }
    }
}
