import Foundation
import Martlet
import MartletTesting
import SQLitePlugin
import TestSupport
import Testing

struct SQLiteDatabaseTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func database(_ fields: String = "", path: String = "main.db") throws -> SQLiteDatabase {
        try TestHost(baseDirectory: folder.path).make(
            SQLiteDatabase.self, "{\"path\": \(JSONText.quoted(path))\(fields.isEmpty ? "" : ", ")\(fields)}", name: "main")
    }

    private func problems(_ json: String) -> String {
        do {
            _ = try TestHost().make(SQLiteDatabase.self, json)
            return "no problem"
        } catch {
            return error.description
        }
    }

    private func execute(_ sql: String, _ values: [DataValue] = [], in database: SQLiteDatabase) async throws -> ExecutionResult {
        let statement = try database.prepare(sql)
        return try await database.transaction { try $0.execute(statement, values) }
    }

    @Test func reportsProblemsOfTheConfig() {
        #expect(
            problems(#"{"path": ":memory:"}"#) == """
                config.json:1:10: path: must be the path of a file (`:memory:` would lose everything), for example "data/main.db"
                """)
        #expect(
            problems(#"{"path": "a.db", "schema": [{"id": "1", "sql": "CREATE TABLE a (x); CREATE TABEL b (y)"}]}"#) == """
                config.json:1:76: schema[0].sql: step `1`: SQLite cannot parse this: near "TABEL": syntax error
                """)
        #expect(
            problems(#"{"path": "a.db", "schema": [{"id": "1", "sql": "SELECT 1; PRAGMA foreign_keys = OFF"}]}"#) == """
                config.json:1:59: schema[0].sql: step `1`: PRAGMA is not allowed: it changes how the connection works; the database's own settings do that
                """)
        #expect(
            problems(#"{"path": "a.db", "schema": [{"id": "1", "sql": "SELECT 1"}, {"id": "1", "sql": "SELECT 2"}]}"#) == """
                config.json:1:80: schema[1].sql: the id `1` is used twice in the schema, by steps 1 and 2; ids are unique
                """)
    }

    @Test func checksSyntaxWithoutAFile() throws {
        let database = try database()
        let error = #expect(throws: SQLProblem.self) { try database.prepare("SELECT * FORM likes WHERE id = :id") }
        #expect(error?.message == "SQLite cannot parse this: near \"FORM\": syntax error")
        #expect(error?.offset == 9)
        #expect(throws: Never.self) { try database.prepare("SELECT anything FROM not_there_yet WHERE id = :id") }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/main.db"))
    }

    @Test func saysWhyTheFileCannotBeOpened() async throws {
        let missing = try database(path: "no/such/main.db")
        let missingError = await failure { try await missing.open() }
        #expect(missingError?.kind == .transient)
        #expect(missingError?.code == "sqlite.cannot_open")
        #expect(
            missingError?.message == """
                database `main`: unable to open database file (SQLite 14); the folder `\(folder.path)/no/such` of \
                \(folder.path)/no/such/main.db cannot be used (No such file or directory): make it, or change `path`
                """ || missingError?.message == """
                database `main`: unable to open database file; the folder `\(folder.path)/no/such` of \
                \(folder.path)/no/such/main.db cannot be used (No such file or directory): make it, or change `path`
                """)
        try FileManager.default.createDirectory(atPath: folder.path + "/folder.db", withIntermediateDirectories: true)
        let isFolder = try database(path: "folder.db")
        let folderError = await failure { try await isFolder.open() }
        #expect(folderError?.message.contains("is a folder: `path` must name a file") == true)
    }

    @Test func refusesAFileOfAnotherKind() async throws {
        try Data(String(repeating: "this is no database ", count: 100).utf8).write(to: URL(fileURLWithPath: folder.path + "/main.db"))
        let database = try database()
        let error = await failure { try await database.open() }
        #expect(error?.kind == .blocked)
        #expect(error?.code == "sqlite.not_a_database")
        await database.close()
    }

    @Test func waitsForAnotherProcessThenGivesUp() async throws {
        let other = try database("\"schema\": [{\"id\": \"1\", \"sql\": \"CREATE TABLE t (x BIGINT)\"}]")
        let database = try database("\"busy_timeout_ms\": 30")
        try await other.open()
        try await database.open()
        let gate = TestGate()
        async let held: Void = other.transaction { _ in gate.hold() }
        await gate.isHeld()
        let error = await failure { _ = try await execute("INSERT INTO t VALUES (1)", in: database) }
        #expect(error?.kind == .transient)
        #expect(error?.code == "sqlite.busy")
        gate.release()
        try await held
        #expect(try await execute("INSERT INTO t VALUES (1)", in: database).changes == 1)
        await other.close()
        await database.close()
    }

    @Test func stopsAStatementThatRunsTooLong() async throws {
        let database = try database("\"query_timeout_ms\": 50")
        try await database.open()
        let endless = try database.prepare("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n")
        let query = await failure { _ = try await database.query(endless, [], limit: 1) }
        #expect(query?.code == "database.timeout")
        #expect(query?.kind == .transient)
        let write = await failure { _ = try await database.transaction { try $0.execute(endless, []) } }
        #expect(write?.code == "database.timeout")
        #expect(try await database.query(try database.prepare("SELECT 1"), [], limit: 1).rows == [[.integer(1)]])
        await database.close()
    }

    @Test func stopsAQueryThatNobodyWaitsFor() async throws {
        let database = try database("\"query_timeout_ms\": 3600000")
        try await database.open()
        let endless = try database.prepare("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n")
        let query = Task { try await database.query(endless, [], limit: 1) }
        query.cancel()
        await #expect(throws: CancellationError.self) { _ = try await query.value }
        await database.close()
    }

    @Test func doesNotMakeAVanishedFileAgain() async throws {
        let database = try database("\"schema\": [{\"id\": \"1\", \"sql\": \"CREATE TABLE t (x BIGINT)\"}]")
        try await database.open()
        _ = try await execute("INSERT INTO t VALUES (1)", in: database)
        for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: folder.path + "/main.db" + suffix) }
        let error = await failure { _ = try await execute("INSERT INTO t VALUES (2)", in: database) }
        #expect(error?.kind == .transient)
        #expect(error?.message.contains("put it back, or restart the host to make a new one") == true)
        let read = await failure { _ = try await database.query(try database.prepare("SELECT 1"), [], limit: 1) }
        #expect(read?.code == "sqlite.cannot_open")
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/main.db"))
        await database.close()
    }

    @Test func sortsErrorsOfValues() async throws {
        let database = try database("\"schema\": [{\"id\": \"1\", \"sql\": \"CREATE TABLE t (x BIGINT PRIMARY KEY) STRICT; CREATE TABLE u (x BIGINT PRIMARY KEY)\"}]"
            .replacingOccurrences(of: "BIGINT PRIMARY KEY) STRICT", with: "INTEGER) STRICT"))
        try await database.open()
        let strict = await failure { _ = try await execute("INSERT INTO t VALUES (:x)", [.text("abc")], in: database) }
        #expect(strict?.kind == .permanent)
        let json = await failure { _ = try await execute("INSERT INTO u VALUES (json_extract(:x, '$.a'))", [.text("{")], in: database) }
        #expect(json?.kind == .permanent)
        #expect(json?.code == "sqlite.value")
        let quotes = await failure { _ = try await execute("INSERT INTO u VALUES (\"no string\")", in: database) }
        #expect(quotes?.kind == .blocked)
        await database.close()
    }

    @Test func keepsBlobs() async throws {
        let database = try database("\"schema\": [{\"id\": \"1\", \"sql\": \"CREATE TABLE t (x BLOB)\"}]")
        try await database.open()
        let bytes = Bytes([0, 1, 255, 0])
        for value in [bytes, .empty] { _ = try await execute("INSERT INTO t VALUES (:x)", [.bytes(value)], in: database) }
        let rows = try await database.query(try database.prepare("SELECT x FROM t"), [], limit: 9).rows
        #expect(rows == [[.bytes(bytes)], [.bytes(.empty)]])
        await database.close()
    }

    @Test func prefersNoCrashToABadClose() async throws {
        let database = try database()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try? await database.open() }
            group.addTask { await database.close() }
            try await group.waitForAll()
        }
        await database.close()
        try await database.open()
        await database.close()
    }
}
