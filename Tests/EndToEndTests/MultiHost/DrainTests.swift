import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// `martlet drain`, and a database exchanged after it.
    @Suite struct DrainTests {
        private func drain(_ host: HostProcess, _ folder: TemporaryFolder, _ options: String...) async throws -> (code: Int32, output: String) {
            try await Cluster.command(
                ["drain", "--admin", "http://" + host.adminAddress] + options, in: folder,
                environment: ["MARTLET_ADMIN_TOKEN": Cluster.token])
        }

        @Test func sourcesStopUntilTheyResume() async throws {
            let folder = try TemporaryFolder()
            let host = try await HostProcess.startShipped(in: folder)
            try await host.likeAll((0..<50).map { Like("fan-\($0)", of: "bob") })
            let drained = try await drain(host, folder)
            #expect(drained.code == 0)
            #expect(drained.output.contains("drained"))
            #expect(try SQLiteFile(path: folder["data/main.db"]).count("SELECT COUNT(*) FROM martlet_outbox") == 0)

            let refused = try await host.like(Like("late", of: "bob"))
            #expect(refused.status == 503)
            #expect(refused.headers["retry-after"] == "5")
            // Everything else goes on.
            let stream = try await host.openStream(of: "bob", query: "?last_event_id=earliest")
            _ = try await stream.waitForMessages(50)
            #expect(try await host.notifications(of: "bob").count == 50)
            // A reload does not open the sources.
            host.signal(SIGHUP)
            try await eventually("the reload") { !host.logLines(containing: "config reloaded").isEmpty }
            #expect(try await host.like(Like("late", of: "bob")).status == 503)

            #expect(try await drain(host, folder, "--resume").code == 0)
            #expect(try await host.like(Like("late", of: "bob")).status == 201)
        }

        @Test func whatWaitsIsToldAndWaitedFor() async throws {
            let cluster = try Cluster(2, .plain)
            try await cluster.start()
            try await cluster.kill(0)
            try await cluster[1].likeAll((0..<7).map { Like("fan-\($0)", of: "bob") })
            let waiting = try await drain(cluster[1], cluster.folders[1], "--timeout-seconds", "1")
            #expect(waiting.code == 1)
            #expect(waiting.output.contains("not drained yet: 7 events wait in database main"))
            try await cluster.start(0)
            #expect(try await drain(cluster[1], cluster.folders[1]).code == 0)
        }

        /// The page on exchanging a backend, step by step: drain, another database, a group that fills it from the log.
        private func exchange(
            environment: [String: String] = [:], copy: (TemporaryFolder) async throws -> Void = { _ in }, _ edit: (inout TestConfig) -> Void
        ) async throws -> (HostProcess, TemporaryFolder) {
            let folder = try TemporaryFolder()
            var config = try TestConfig.shipped()
            try config.write(to: folder)
            let host = try await HostProcess.start(in: folder, environment: environment)
            try await host.waitUntilReady()
            try await host.likeAll((0..<200).map { Like("fan-\($0)", of: "user-\($0 % 4)") })
            #expect(try await drain(host, folder).code == 0)
            edit(&config)
            try config.write(to: folder)
            let reload = try await Cluster.command(["reload", "--admin", "http://" + host.adminAddress], in: folder)
            #expect(reload.code == 0, "\(reload.output)")
            // It has its tables, and the group fills its own, while sources are closed.
            try await eventually("rows in the new database") { (try? await host.notifications(of: "user-1").count) == 50 }
            #expect(try await host.like(Like("early", of: "user-0")).status == 503)
            try await copy(folder)
            #expect(try await drain(host, folder, "--resume").code == 0)
            try await eventually("the new database is open") { try await host.like(Like("new", of: "user-0")).status == 201 }
            // A new database has no offsets of the group: it starts at its `start`, the earliest record.
            try await eventually("the rows of the log") { try await host.notifications(of: "user-1").count == 50 }
            try await eventually("old and new rows") { try await host.notifications(of: "user-0").count == 50 }
            return (host, folder)
        }

        @Test func anotherSQLiteFileIsFilledFromTheLog() async throws {
            let (host, folder) = try await exchange { $0.set("databases", "main", "path", to: "data/other.db") }
            let file = SQLiteFile(path: folder["data/other.db"])
            try await eventually("every row") { try file.count("SELECT COUNT(*) FROM notifications") == 201 }
            // The table of the group can be filled again at any time.
            _ = try file.rows("DELETE FROM notifications")
            let admin = ["--admin", "http://" + host.adminAddress]
            for words in [["pause"], ["reset", "--to", "earliest", "--execute"], ["resume"]] {
                let arguments = ["groups", words[0], "notification-store"] + words.dropFirst() + admin
                let answer = try await Cluster.command(arguments, in: folder)
                #expect(answer.code == 0, "\(answer.output)")
            }
            try await eventually("every row again") { try file.count("SELECT COUNT(*) FROM notifications") == 201 }
            #expect(try await host.stop() == 0)
            // What a source saved is the old database's own.
            #expect(try file.count("SELECT COUNT(*) FROM likes") == 1)
            #expect(try SQLiteFile(path: folder["data/main.db"]).count("SELECT COUNT(*) FROM likes") == 200)
        }

        @Test func postgreSQLIsFilledFromTheLog() async throws {
            let server = try Server.postgreSQL()
            let environment = ["DATABASE_URL": server.address]
            // As the page says it, in the folder of the config.
            let copy = try Self.copyCommand()
            let (host, folder) = try await exchange(environment: environment, copy: { folder in
                try await onThread { [path = folder.path] in
                    let copied = try Program.run("/bin/sh", ["-ec", copy], in: path, environment: environment)
                    guard copied.code == 0 else { throw TestFailure("the page's command fails: \(copy)\n\(copied.output)") }
                }
            }) { config in
                config.set("databases", "main", "type", to: "postgres")
                config.set("databases", "main", "url", to: "${env:DATABASE_URL}")
                config.set("databases", "main", "path", to: nil)
            }
            // The new backend holds what the old one held, and what came since.
            let old = SQLiteFile(path: folder["data/main.db"])
            let new = "SELECT id, recipient, text, created_at FROM notifications WHERE text <> 'new liked your post' ORDER BY id"
            try await eventually("every row") { try await server.sql.count("SELECT count(*) FROM notifications") == 201 }
            let moved = try await server.sql.rows(new)
            #expect(try old.rows(new).map { $0.joined(separator: "|") } == moved)
            #expect(moved.count == 200)
            #expect(try await server.sql.count("SELECT count(*) FROM likes") == 201)
            // A like from before the move is known.
            #expect(try await host.like(Like("fan-7", of: "user-3")).status == 200)
            #expect(try await host.stop() == 0)
        }

        private static func copyCommand() throws -> String {
            let page = TestConfig.repository.appendingPathComponent("Sources/Pipelines/Pipelines.docc/ExchangingTheDatabase.md")
            let text = try String(contentsOf: page, encoding: .utf8)
            let block = text.components(separatedBy: "```sh\n").dropFirst().first?.components(separatedBy: "```").first
            guard let block else { throw TestFailure("the page has no command") }
            return block
        }
    }
}
