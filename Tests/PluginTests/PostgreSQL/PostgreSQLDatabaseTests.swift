import Martlet
import MartletTesting
import PostgreSQLPlugin
import Testing

struct PostgreSQLDatabaseTests {
    private let server: PostgreSQLServer

    init() throws {
        server = try PostgreSQLServer.shared.get()
    }

    private func execute(_ sql: String, _ values: [DataValue] = [], in database: PostgreSQLDatabase) async throws -> ExecutionResult {
        let statement = try database.prepare(sql)
        return try await database.transaction { try $0.execute(statement, values) }
    }

    private func rows(_ sql: String, in database: PostgreSQLDatabase) async throws -> [[DataValue]] {
        try await database.query(try database.prepare(sql), [], limit: 1_000).rows
    }

    private func problems(_ json: String) -> String {
        do {
            _ = try TestHost().make(PostgreSQLDatabase.self, json)
            return "no problem"
        } catch {
            return error.description
        }
    }

    @Test func reportsProblemsOfTheConfig() {
        #expect(
            problems(#"{"url": "postgres://u:hunter2@h/d"}"#) == """
                config.json:1:9: url: holds a password in plain text; write it as `${env:NAME}` or `${file:PATH}`, or use a .pgpass file
                """)
        let malformed = problems(#"{"url": "postgres://u:hunter2%zz@h/d"}"#)
        #expect(malformed.contains("must be a PostgreSQL URL such as postgres://user@host:5432/database"))
        #expect(!malformed.contains("hunter2"))
        #expect(problems(#"{"url": "postgres://h/d", "schema": [{"id": "1", "sql": "SELECT 1; BEGIN"}]}"#).contains("BEGIN is not allowed"))
    }

    @Test func saysThatTheServerIsAway() async throws {
        let database = try TestHost().make(
            PostgreSQLDatabase.self, #"{"url": "postgres://postgres@127.0.0.1:1/d"}"#, name: "main")
        let error = await failure { try await database.open() }
        #expect(error?.kind == .transient)
        #expect(error?.code == "postgres.unreachable")
        #expect(error?.message.contains("database `main`: connection to server at \"127.0.0.1\", port 1 failed: Connection refused") == true)
        await database.close()
    }

    @Test func saysThatTheDatabaseIsMissing() async throws {
        let database = try TestHost().make(PostgreSQLDatabase.self, #"{"url": "\#(server.url("no_such"))"}"#)
        let error = await failure { try await database.open() }
        #expect(error?.kind == .blocked)
        #expect(error?.code == "postgres.refused")
        #expect(error?.message.contains("database \"no_such\" does not exist") == true)
        await database.close()
    }

    @Test func keepsTypes() async throws {
        let database = try server.makeDatabase(
            schema: """
                CREATE TYPE mood AS ENUM ('good', 'bad');
                CREATE TABLE v (id BIGINT, u UUID, t TIMESTAMPTZ, j JSONB, n NUMERIC, s SMALLINT, c CHAR(4), b BYTEA, r REAL,
                  a BIGINT[], m mood)
                """)
        try await database.open()
        let values: [DataValue] = [
            .integer(1), .text("0190a1b2-0000-7000-8000-000000000001"), .text("2024-05-01T10:00:00Z"), .json("{\"a\": 1}"),
            .text("12.50"), .integer(7), .text("ab"), .bytes(Bytes([0, 255, 39])), .double(0.5), .text("{1,2}"), .text("good"),
        ]
        let names = ["id", "u", "t", "j", "n", "s", "c", "b", "r", "a", "m"]
        let insert = RowInsert(table: "v", columns: names, onConflict: .fail)
        _ = try await database.transaction { try $0.insertRows(insert, [values]) }
        let places = names.map { ":\($0)" }.joined(separator: ", ")
        _ = try await execute("INSERT INTO v VALUES (\(places))", values, in: database)
        let found = try await rows("SELECT id, u, t AT TIME ZONE 'UTC', j, n, s, c, b, r, a, m FROM v", in: database)
        let expected: [DataValue] = [
            .integer(1), .text("0190a1b2-0000-7000-8000-000000000001"), .text("2024-05-01 10:00:00"), .json("{\"a\": 1}"),
            .double(12.5), .integer(7), .text("ab  "), .bytes(Bytes([0, 255, 39])), .double(0.5), .text("{1,2}"), .text("good"),
        ]
        #expect(found == [expected, expected])
        #expect(try await rows("SELECT sum(id), 12345678901234567890.5::numeric FROM v", in: database) == [[.integer(2), .text("12345678901234567890.5")]])
        await database.close()
    }

    @Test func refusesValuesThatDoNotFit() async throws {
        let database = try server.makeDatabase(
            schema: "CREATE TABLE v (id SMALLINT, s VARCHAR(3), u UUID, b BOOLEAN, n NUMERIC(4, 2), t TEXT)")
        try await database.open()
        let cases: [(String, DataValue)] = [
            ("id", .integer(70_000)), ("id", .text("x")), ("id", .double(1.5)), ("s", .text("long")), ("u", .text("x")),
            ("b", .integer(2)), ("n", .integer(100)), ("t", .text("a\0b")), ("id", .bytes("x")),
        ]
        for (column, value) in cases {
            let insert = RowInsert(table: "v", columns: [column], onConflict: .ignore)
            let bulk = await failure { _ = try await database.transaction { try $0.insertRows(insert, [[value]]) } }
            #expect(bulk?.kind == .permanent, "insertRows \(column) \(value): \(String(describing: bulk))")
            if case .bytes = value { continue }
            let single = await failure { _ = try await execute("INSERT INTO v (\(column)) VALUES (:x)", [value], in: database) }
            // An integer is a valid text of a boolean's input only if it is 0 or 1.
            #expect(single?.kind == .permanent, "execute \(column) \(value): \(String(describing: single))")
        }
        #expect(try await rows("SELECT count(*) FROM v", in: database) == [[.integer(0)]])
        await database.close()
    }

    @Test func stopsAStatementThatRunsTooLong() async throws {
        let database = try server.makeDatabase(", \"statement_timeout_ms\": 100")
        try await database.open()
        let query = await failure { _ = try await rows("SELECT pg_sleep(60)", in: database) }
        #expect(query?.code == "database.timeout")
        let write = await failure { _ = try await execute("SELECT pg_sleep(60)", in: database) }
        #expect(write?.code == "database.timeout")
        #expect(write?.kind == .transient)
        #expect(try await rows("SELECT 1", in: database) == [[.integer(1)]])
        await database.close()
    }

    @Test func readsNoMoreThanTheLimit() async throws {
        let database = try server.makeDatabase()
        try await database.open()
        let endless = try database.prepare("SELECT generate_series(1, 2000000000)")
        let page = try await database.query(endless, [], limit: 2)
        #expect(page.rows == [[.integer(1)], [.integer(2)]])
        #expect(try await rows("SELECT 1", in: database) == [[.integer(1)]])
        await database.close()
    }

    @Test func connectsAgainWithoutAnErrorAfterAnIdleConnectionDied() async throws {
        let database = try server.makeDatabase(schema: "CREATE TABLE t (x BIGINT)")
        try await database.open()
        _ = try await rows("SELECT 1", in: database)
        let name = try await name(of: database)
        // With a time it waits until the backend has ended.
        try server.psql("postgres", "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = '\(name)'")
        #expect(try await execute("INSERT INTO t VALUES (1)", in: database).changes == 1)
        #expect(try await rows("SELECT x FROM t", in: database) == [[.integer(1)]])
        await database.close()
    }

    @Test func rollsBackWhenTheBackendIsKilledInATransaction() async throws {
        let database = try server.makeDatabase(schema: "CREATE TABLE t (x BIGINT)")
        try await database.open()
        let insert = try database.prepare("INSERT INTO t VALUES (1)")
        let kill = try database.prepare("SELECT pg_terminate_backend(pg_backend_pid())")
        let error = await failure {
            try await database.transaction { connection in
                _ = try connection.execute(insert, [])
                _ = try connection.execute(kill, [])
            }
        }
        #expect(error?.kind == .transient)
        // The server's last words may arrive, or only the end of the connection.
        #expect(error?.code == "postgres.unreachable" || error?.code == "postgres.connection_lost")
        #expect(try await execute("INSERT INTO t VALUES (2)", in: database).changes == 1)
        #expect(try await rows("SELECT x FROM t", in: database) == [[.integer(2)]])
        await database.close()
    }

    @Test func preparesAgainWhenATableChanges() async throws {
        let database = try server.makeDatabase(schema: "CREATE TABLE t (x BIGINT)")
        try await database.open()
        _ = try await rows("SELECT * FROM t", in: database)
        let insert = RowInsert(table: "t", columns: ["x"], onConflict: .fail)
        _ = try await database.transaction { try $0.insertRows(insert, [[.integer(1)]]) }
        _ = try await execute("ALTER TABLE t ALTER x TYPE TEXT", in: database)
        let first = await failure { _ = try await rows("SELECT * FROM t", in: database) }
        #expect(first == nil || first?.kind == .transient)
        #expect(try await rows("SELECT * FROM t", in: database) == [[.text("1")]])
        await database.close()
    }

    @Test func reportsADeferredConstraint() async throws {
        let database = try server.makeDatabase(
            schema: "CREATE TABLE t (x BIGINT UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO t VALUES (1)")
        try await database.open()
        let error = await failure { _ = try await execute("INSERT INTO t VALUES (1)", in: database) }
        #expect(error?.kind == .permanent)
        #expect(error?.code == "postgres.constraint")
        #expect(try await rows("SELECT count(*) FROM t", in: database) == [[.integer(1)]])
        await database.close()
    }

    @Test func forgetsStatementsBeyondItsLimit() async throws {
        let database = try server.makeDatabase()
        try await database.open()
        for number in 0..<300 { _ = try await execute("SELECT \(number)", in: database) }
        let count = try await execute("SELECT count(*) FROM pg_prepared_statements", in: database).rows
        #expect(count == [[.integer(256)]])
        await database.close()
    }

    private func name(of database: PostgreSQLDatabase) async throws -> String {
        guard case .text(let name)? = try await rows("SELECT current_database()::text", in: database).first?.first else { return "" }
        return name
    }
}
