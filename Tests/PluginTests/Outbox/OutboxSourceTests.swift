import Foundation
import Martlet
import MartletTesting
import OutboxPlugin
import Pipelines
import PostgreSQLPlugin
import SQLitePlugin
import TestSupport
import Testing

@Suite struct OutboxSourceTests {
    private static let table = "CREATE TABLE outbox (id INTEGER PRIMARY KEY, user_id TEXT, payload TEXT NOT NULL, done BIGINT)"

    private func sqlite(_ folder: TemporaryFolder) async throws -> SQLiteDatabase {
        let database = try TestHost(baseDirectory: folder.path).make(
            SQLiteDatabase.self, "{\"path\": \"main.db\", \"schema\": [{\"id\": \"1\", \"sql\": \"\(Self.table)\"}]}")
        try await database.open()
        return database
    }

    private func source(_ database: any Database, _ fields: String = "", host: String = "a") throws -> OutboxSource {
        try TestHost(payloads: SimdjsonPayloadReader(), databases: ["main": database], hostID: host).make(
            OutboxSource.self, "{\"database\": \"main\", \"table\": \"outbox\", \"poll_ms\": 10\(fields)}")
    }

    private func execute(_ database: any Database, _ sql: String) async throws {
        let statement = try database.prepare(sql)
        try await database.transaction { _ = try $0.execute(statement, []) }
    }

    private func count(_ database: any Database, _ condition: String = "1 = 1") async throws -> Int {
        try await database.query(try database.prepare("SELECT id FROM outbox WHERE \(condition)"), [], limit: 10_000).rows.count
    }

    private func intake() -> RecordingIntake {
        RecordingIntake { _, _ in .published(id: "x", topic: "t", partition: 0, offset: 0) }
    }

    @Test func rowsBecomeEventsInOrderAndAreDeleted() async throws {
        let folder = try TemporaryFolder()
        let database = try await sqlite(folder)
        try await execute(database, #"INSERT INTO outbox (id, user_id, payload) VALUES (3, 'ben', '{"n":3}'), (1, NULL, '{"n":1}'), (2, 'ana', 'oops')"#)
        let intake = intake()
        let source = try source(database, #", "payload_column": "payload", "key_column": "user_id", "batch_events": 2"#)
        try await source.open(intake: intake)
        await waitUntil { (try? await count(database)) == 0 }
        // One that commits late, with a smaller id.
        try await execute(database, #"INSERT INTO outbox (id, user_id, payload) VALUES (2, 'eve', '{"n":2}')"#)
        await waitUntil { (try? await count(database)) == 0 && intake.inputs.count == 3 }
        await source.close()
        #expect(intake.inputs.map(\.id) == ["outbox/1", "outbox/3", "outbox/2"])
        #expect(intake.inputs.map(\.key) == [nil, "ben", "eve"])
        #expect(intake.inputs.map(\.payload) == [#"{"n":1}"#, #"{"n":3}"#, #"{"n":2}"#])
        await database.close()
    }

    @Test func rowsAreMarkedAndThePayloadIsTheRow() async throws {
        let folder = try TemporaryFolder()
        let database = try await sqlite(folder)
        try await execute(database, "INSERT INTO outbox (id, user_id, payload) VALUES (1, 'ben', 'it''s \"so\"')")
        let intake = intake()
        let source = try source(database, #", "after": "mark", "mark_column": "done""#)
        try await source.open(intake: intake)
        await waitUntil { (try? await count(database, "done > 1000000000000")) == 1 }
        await source.close()
        #expect(intake.inputs.map(\.payload) == [#"{"id":1,"user_id":"ben","payload":"it's \"so\""}"#])
        await database.close()
    }

    @Test func aRefusingLogKeepsTheRows() async throws {
        let folder = try TemporaryFolder()
        let database = try await sqlite(folder)
        try await execute(database, "INSERT INTO outbox (id, payload) VALUES (1, '1')")
        let intake = RecordingIntake { number, _ in
            number < 2 ? .unavailable(.transient("log.full", "full"), retryAfter: .zero) : .published(id: "x", topic: "t", partition: 0, offset: 0)
        }
        let source = try source(database)
        try await source.open(intake: intake)
        await waitUntil { intake.inputs.count >= 2 }
        await waitUntil { (try? await count(database)) == 0 }
        await source.close()
        #expect(intake.inputs.map(\.id) == ["outbox/1", "outbox/1", "outbox/1"])
        await database.close()
    }

    @Test func sqliteTellsNobody() async throws {
        let folder = try TemporaryFolder()
        let database = try await sqlite(folder)
        let error = #expect(throws: ConfigError.self) { try source(database, #", "listen": "outbox""#) }
        #expect(error?.problems.first.map { "\($0)" }?.contains("tells nobody of new rows") == true)
        _ = try TestHost(databases: ["main": database]).make(
            OutboxSource.self, try ReadmeExample.json(of: "Outbox"), reserved: ["type", "publish"])
        await database.close()
    }

    /// Rows are read while others of two hosts' sources come and go, and each becomes an event once, in order.
    @Test func ofSeveralHostsOneReadsTheTable() async throws {
        let server = try PostgreSQLServer.shared.get()
        let url = server.url(try server.newDatabase())
        let table = "CREATE TABLE outbox (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payload JSONB NOT NULL)"
        let config = "{\"url\": \"\(url)\", \"schema\": [{\"id\": \"1\", \"sql\": \"\(table)\"}]}"
        let first = try TestHost().make(PostgreSQLDatabase.self, config)
        try await first.open()
        let second = try TestHost().make(PostgreSQLDatabase.self, config)
        try await second.open()
        let intake = RecordingIntake(isHolding: true) { _, _ in .published(id: "x", topic: "t", partition: 0, offset: 0) }
        let fields = #", "payload_column": "payload", "batch_events": 3"#
        let sources = [try source(first, fields, host: "a"), try source(second, fields, host: "b")]
        for source in sources { try await source.open(intake: intake) }
        for round in 1...5 {
            try await execute(first, "INSERT INTO outbox (payload) SELECT to_jsonb(n) FROM generate_series(1, 20) AS n")
            let before = (round - 1) * 20
            await waitUntil { intake.inputs.count > before }
            // The rows are read and still there: one that does not wait for its turn would read them too, within 10 ms.
            _ = try await second.query(try second.prepare("SELECT pg_sleep(0.01) FROM generate_series(1, 30)"), [], limit: 30)
            #expect(intake.inputs.count == before + 3)
            await waitUntil {
                intake.release()
                return (try? await count(first)) == 0
            }
            // Whichever has it gives it back, and the other one follows.
            let leaving = sources[round % 2]
            await leaving.close()
            try await leaving.open(intake: intake)
        }
        let wanted = (1...100).map { Bytes("outbox/\($0)") }
        #expect(intake.inputs.map(\.id) == wanted)
        for source in sources { await source.close() }
        let leases = try await first.query(try first.prepare("SELECT name FROM martlet_leases"), [], limit: 10)
        #expect(leases.rows.isEmpty)
        await second.close()
        await first.close()
    }

    /// A host that died holds the table until its lease is over, itself excepted.
    @Test func aDeadHostIsFollowedWhenItsLeaseIsOver() async throws {
        let folder = try TemporaryFolder()
        let database = try await sqlite(folder)
        let opened = try source(database, host: "a")
        try await opened.open(intake: intake())
        await waitUntil { (try? await database.columns(of: "martlet_leases")) != nil }
        await opened.close()
        func hold(for milliseconds: Int64) async throws {
            try await execute(
                database, "INSERT INTO martlet_leases VALUES ('outbox/outbox', 'a/test', \(Timestamp.now() + milliseconds))")
            try await execute(database, "INSERT INTO outbox (payload) VALUES ('1')")
        }
        try await hold(for: 3_600_000)
        let intake = intake()
        let other = try source(database, host: "b")
        try await other.open(intake: intake)
        let same = try source(database, host: "a")
        try await same.open(intake: intake)
        await waitUntil { (try? await count(database)) == 0 }
        let leases = try await database.query(try database.prepare("SELECT holder FROM martlet_leases"), [], limit: 10)
        #expect(leases.rows == [[.text("a/test")]])
        await same.close()
        await other.close()
        try await hold(for: -1)
        try await other.open(intake: intake)
        await waitUntil { (try? await count(database)) == 0 }
        #expect(intake.inputs.count == 2)
        await other.close()
        await database.close()
    }

    @Test func postgresTellsOfNewRows() async throws {
        let server = try PostgreSQLServer.shared.get()
        let database = try server.makeDatabase(
            schema: "CREATE TABLE outbox (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id TEXT, payload JSONB NOT NULL)")
        try await database.open()
        let intake = intake()
        // So long that only the notification can be why a row comes.
        let patient = try TestHost(payloads: SimdjsonPayloadReader(), databases: ["main": database]).make(
            OutboxSource.self,
            #"{"database": "main", "table": "outbox", "poll_ms": 3600000, "listen": "outbox", "payload_column": "payload", "key_column": "user_id"}"#)
        try await patient.open(intake: intake)
        for number in 1...3 {
            let insert = try database.prepare("INSERT INTO outbox (user_id, payload) VALUES ('ben', '{\"n\": \(number)}')")
            let notify = try database.prepare("SELECT pg_notify('outbox', '')")
            try await database.transaction { connection in
                _ = try connection.execute(insert, [])
                _ = try connection.execute(notify, [])
            }
            await waitUntil { intake.inputs.count == number }
        }
        await patient.close()
        #expect(intake.inputs.map(\.id) == ["outbox/1", "outbox/2", "outbox/3"])
        #expect(intake.inputs.map(\.payload) == [#"{"n": 1}"#, #"{"n": 2}"#, #"{"n": 3}"#])
        #expect(intake.inputs.allSatisfy { $0.key == "ben" })
        await database.close()
    }
}
