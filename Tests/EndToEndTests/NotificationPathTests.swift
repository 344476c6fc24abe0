import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The notification path is broken in one place or another: likes go on, and what waits arrives when it heals.
    @Suite struct NotificationPathTests {
        private static let table =
            "CREATE TABLE audit (id TEXT PRIMARY KEY, recipient TEXT NOT NULL, text TEXT NOT NULL, created_at BIGINT NOT NULL)"

        @Test func aSinkWithoutItsTableIsHeldWhileTheOtherGroupGoesOn() async throws {
            let folder = try TemporaryFolder()
            var config = try TestConfig.shipped()
            config.set("groups", "notification-store", "sink", "table", to: "audit")
            try config.write(to: folder)
            let host = try await HostProcess.start(in: folder)
            let stream = StreamClient(HostProcess.streamPath(of: "bob"))
            try await host.waitUntilSaving()
            try await host.connect(stream)
            let likes = (1...20).map { Like("a\($0)", of: "bob") }
            try await host.likeAll(likes)
            _ = try await stream.waitForMessages(20)

            let reason = try await host.waitingReason(of: "groups.notification-store")
            #expect(reason.contains("database `main` has no table `audit`"))
            #expect(try await host.metrics().value("martlet_group_dead_lettered_total") ?? 0 == 0)

            let file = SQLiteFile(path: folder["data/main.db"])
            _ = try file.rows(Self.table)
            try await eventually("all rows once the table is there") { try file.count("SELECT COUNT(*) FROM audit") == 20 }
            let stored = try file.rows("SELECT text FROM audit ORDER BY rowid").map { $0[0] }
            #expect(stored == likes.map(\.text))
            try await host.waitUntilReady()
            try await expectThatCountersAddUp(host, group: "notification-store", consumed: 20)
            #expect(try await host.stop() == 0)
        }

        @Test func aTableThatVanishesHoldsItsGroupUntilItIsBack() async throws {
            let folder = try TemporaryFolder()
            try TestConfig.copyShipped(to: folder)
            let host = try await HostProcess.start(in: folder)
            let stream = StreamClient(HostProcess.streamPath(of: "bob"))
            try await host.waitUntilSaving()
            try await host.connect(stream)
            try await host.likeAll([Like("first", of: "bob")])
            let file = SQLiteFile(path: folder["data/main.db"])
            try await eventually("a row") { try file.count("SELECT COUNT(*) FROM notifications") == 1 }
            _ = try file.rows("ALTER TABLE notifications RENAME TO hidden")

            try await host.likeAll((1...30).map { Like("a\($0)", of: "bob") })
            _ = try await stream.waitForMessages(31)
            let reason = try await host.waitingReason(of: "groups.notification-store")
            #expect(reason.contains("no such table"))
            let metrics = try await host.metrics()
            let store = ["group": "notification-store"]
            #expect(metrics.value("martlet_group_lag", store) == 30)
            #expect(metrics.value("martlet_group_dead_lettered_total", store) == 0)
            let inFlight = metrics.value("martlet_group_in_flight", store) ?? 0
            #expect(inFlight > 0)
            #expect(metrics.value("martlet_group_consumed_total", store) == 1 + inFlight)

            _ = try file.rows("ALTER TABLE hidden RENAME TO notifications")
            try await eventually("all rows") { try file.count("SELECT COUNT(*) FROM notifications") == 31 }
            try await host.waitUntilReady()
            try await expectThatCountersAddUp(host, group: "notification-store", consumed: 31)
            try await expectThatCountersAddUp(host, group: "notification-push", consumed: 31)
            #expect(try await host.stop() == 0)
        }

        /// A transform that fails and a row that a constraint refuses: that one record goes to the dead letters, with
        /// headers that say why, and what came before and after it is handled.
        @Test func poisonedRecordsAreDeadLetteredAlone() async throws {
            let folder = try TemporaryFolder()
            try poisonedConfig().write(to: folder)
            let host = try await HostProcess.start(in: folder)
            try await host.waitUntilReady()
            let names = (1...40).map { $0 % 10 == 0 ? "poison\($0)" : $0 % 10 == 5 ? "taboo\($0)" : "a\($0)" }
            try await host.likeAll(names.map { Like($0, of: "bob") })

            let file = SQLiteFile(path: folder["data/main.db"])
            // 4 of the failing program, 4 of the constraint.
            try await eventually("the dead letters") { try file.count("SELECT COUNT(*) FROM dead") == 8 }
            try await eventually("the good rows") { try file.count("SELECT COUNT(*) FROM audit") == 32 }
            let audited = try file.rows("SELECT actor FROM audit ORDER BY rowid").map { $0[0] }
            #expect(audited == names.filter { $0.hasPrefix("a") })
            try await eventually("the untouched group") { try file.count("SELECT COUNT(*) FROM notifications") == 40 }

            let dead = try file.rows(
                "SELECT actor, code, grp, topic, attempts, error, origin FROM dead ORDER BY length(actor), actor")
            #expect(Set(dead.map { $0[0] }) == Set(names.filter { !$0.hasPrefix("a") }))
            for row in dead {
                #expect(row[1] == (row[0].hasPrefix("poison") ? "jq.failed" : "sqlite.constraint"))
                #expect(row[2] == "auditors")
                #expect(row[3] == "notifications")
                #expect(row[4] == "1")
                #expect(row[5].contains(row[0].hasPrefix("poison") ? "spoiled" : "CHECK constraint failed"))
            }
            // The origin names the record in the topic.
            #expect(Set(dead.map { $0[6] }).count == 8)

            try await expectThatCountersAddUp(host, group: "auditors", consumed: 40)
            let auditors = ["group": "auditors"]
            let metrics = try await host.metrics()
            #expect(metrics.value("martlet_group_dead_lettered_total", auditors) == 8)
            #expect(metrics.value("martlet_group_handled_total", auditors) == 32)
            #expect(metrics.value("martlet_group_lag", auditors) == 0)
            #expect(try await host.stop() == 0)
        }

        /// A group of its own over the likes, and one over the dead letters that keeps their headers.
        private func poisonedConfig() throws -> TestConfig {
            var config = try TestConfig.shipped()
            config.addSchemaStep(
                "010-audit", "CREATE TABLE audit (actor TEXT NOT NULL CHECK (actor NOT LIKE 'taboo%'))")
            config.addSchemaStep(
                "011-dead",
                "CREATE TABLE dead (actor TEXT, code TEXT, grp TEXT, topic TEXT, attempts TEXT, error TEXT, origin TEXT)")
            config.set("groups", "auditors", to: [
                "topics": ["notifications"],
                "transforms": [["type": "jq", "program": #"if .actor | startswith("poison") then error("spoiled") else . end"#]],
                "sink": ["type": "table", "database": "main", "table": "audit", "columns": ["actor": "${/actor}"]],
            ])
            config.set("groups", "undertakers", to: [
                "topics": ["notifications.dead-letters"],
                "sink": [
                    "type": "table", "database": "main", "table": "dead",
                    "columns": [
                        "actor": "${/actor}", "code": "${@header.dead-letter-code}", "grp": "${@header.dead-letter-group}",
                        "topic": "${@header.dead-letter-topic}", "attempts": "${@header.dead-letter-attempts}",
                        "error": "${@header.dead-letter-error}",
                        "origin": "${@header.dead-letter-partition}/${@header.dead-letter-offset}",
                    ],
                ],
            ])
            return config
        }

        @Test func likesGoOnWhileTheLogRefuses() async throws {
            let folder = try TemporaryFolder()
            try TestConfig.copyShipped(to: folder)
            var host = try await HostProcess.start(in: folder, set: ["log.min_free_bytes=1125899906842624"])
            let stream = StreamClient(HostProcess.streamPath(of: "bob"))
            try await host.waitUntilSaving()
            try await host.connect(stream)
            let likes = (1...50).map { Like("a\($0)", of: "bob") }
            try await host.likeAll(likes)
            #expect(try await host.metrics().value("martlet_outbox_events") == 50)
            #expect(try await host.notifications(of: "bob").isEmpty)
            // A repeated one is known although nothing was published.
            #expect(try await host.like(likes[0]).status == 200)
            try await eventually("a log line that names the code") {
                host.logLines(containing: "log.storage_full").contains { $0.contains("the events wait in the outbox") }
            }
            #expect(try await host.stop() == 0)
            try await stream.waitForEnd()

            host = try await HostProcess.start(in: folder)
            try await host.waitUntilSaving()
            try await host.connect(stream)
            try await host.likeAll([Like("last", of: "bob")])
            let messages = try await stream.waitForMessages(51)
            #expect(messages.map { $0.text("text") } == (likes + [Like("last", of: "bob")]).map(\.text))
            try await eventually("an empty outbox") { try await host.metrics().value("martlet_outbox_events") == 0 }
            #expect(try await host.stop() == 0)
            let stored = try SQLiteFile(path: folder["data/main.db"]).rows("SELECT text FROM notifications ORDER BY rowid")
            #expect(stored.map { $0[0] } == messages.map { $0.text("text") })
        }

        private func expectThatCountersAddUp(_ host: HostProcess, group: String, consumed: Int) async throws {
            func counts() async throws -> (consumed: Int, settled: Int) {
                let metrics = try await host.metrics()
                let parts = ["handled_total", "filtered_total", "dead_lettered_total", "expired_total", "in_flight"]
                let settled = parts.reduce(0) { $0 + (metrics.value("martlet_group_\($1)", ["group": group]) ?? 0) }
                return (metrics.value("martlet_group_consumed_total", ["group": group]) ?? 0, settled)
            }
            try await eventually("\(consumed) records consumed by \(group)") { try await counts().consumed >= consumed }
            let now = try await counts()
            #expect(now.consumed == consumed)
            #expect(now.settled == consumed)
        }
    }
}
