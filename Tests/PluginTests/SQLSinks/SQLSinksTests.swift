import Martlet
import MartletTesting
import Pipelines
import SQLSinksPlugin
import SQLitePlugin
import TestSupport
import Testing

struct SQLSinksTests {
    private let folder: TemporaryFolder
    private let database: SQLiteDatabase

    init() async throws {
        folder = try TemporaryFolder()
        database = try TestHost(baseDirectory: folder.path).make(
            SQLiteDatabase.self,
            #"{"path": "main.db", "schema": [{"id": "1", "sql": "CREATE TABLE likes (id TEXT PRIMARY KEY, actor TEXT, post_id BIGINT)"}]}"#,
            name: "main")
        try await database.open()
    }

    private func make<Made: Sink>(_ type: Made.Type, _ json: String) throws(ConfigError) -> Made {
        try TestHost(payloads: SimdjsonPayloadReader(), databases: ["main": database]).make(type, json)
    }

    private func problems<Made: Sink>(_ type: Made.Type, _ json: String) -> String {
        do {
            _ = try make(type, json)
            return "no problem"
        } catch {
            return error.description
        }
    }

    private func openError(_ sink: some Sink) async -> ModuleError? {
        do {
            try await sink.open()
            return nil
        } catch {
            return error as? ModuleError
        }
    }

    @Test(arguments: [
        (
            #"{"database": "mian", "table": "likes", "columns": {"id": "${@id}"}}"#,
            """
            config.json:1:14: database: unknown database `mian`; did you mean `main`?
              databases: main
            """
        ),
        (
            #"{"database": "main", "table": "likes", "columns": {}}"#,
            "config.json:1:51: columns: must name at least one column"
        ),
        (
            #"{"database": "main", "table": "likes", "columns": {"id": "${@id}"}, "on_conflict": "update"}"#,
            "config.json:1:51: columns: `\"on_conflict\": \"update\"` needs `conflict_columns`: the unique columns that tell whether a row is there"
        ),
        (
            #"{"database": "main", "table": "likes", "columns": {"post_id": "1"}, "conflict_columns": ["postid"]}"#,
            "config.json:1:90: conflict_columns[0]: `postid` is not among the columns of this sink; did you mean `post_id`? (columns: post_id)"
        ),
        (
            #"{"database": "main", "table": "likes", "columns": {"id": "1"}, "on_conflict": "fail", "conflict_columns": ["id"]}"#,
            "config.json:1:108: conflict_columns[0]: `conflict_columns` mean nothing with `\"on_conflict\": \"fail\"`; leave them out"
        ),
    ])
    func reportsProblemsOfTableSinks(json: String, report: String) {
        #expect(problems(TableSink.self, json) == report)
    }

    @Test func reportsABadTemplateAtItsPlace() {
        let report = problems(
            TableSink.self, #"{"database": "main", "table": "likes", "columns": {"id": "${@ib}", "actor": "${@path.user}"}}"#)
        #expect(report.contains("config.json:1:5") && report.contains("@ib"))
        #expect(report.contains("@path"))
    }

    @Test(arguments: [
        (
            #"{"database": "main", "sql": "UPDATE likes SET actor = :actor WHERE id = :id", "parameters": {"actr": "x", "id": "${@id}"}}"#,
            """
            config.json:1:29: sql: the parameter `:actor` has no template under `parameters`; did you mean to name `actr` so?
            config.json:1:94: parameters.actr: the statement has no parameter `:actr`; did you mean `actor`?
            """
        ),
        (
            #"{"database": "main", "sql": "SELECT 1; SELECT 2"}"#,
            "config.json:1:40: sql: only one statement is allowed; another begins with `SELECT 2`"
        ),
        (
            #"{"database": "main", "sql": "INSERT INTO"}"#,
            "config.json:1:30: sql: SQLite cannot parse this: incomplete input"
        ),
    ])
    func reportsProblemsOfSQLSinks(json: String, report: String) {
        #expect(problems(SQLSink.self, json) == report)
    }

    @Test(arguments: [
        (
            #"{"database": "main", "table": "likse", "columns": {"id": "${@id}"}}"#, "sink.no_table",
            "database `main` has no table `likse`; make it with a step of the database's `schema`"
        ),
        (
            #"{"database": "main", "table": "likes", "columns": {"id": "${@id}", "postid": "1", "zzz": "1"}}"#, "sink.no_column",
            "table `likes` of database `main` has no column `postid` (did you mean `post_id`?), no column `zzz`; it has id, actor, post_id"
        ),
    ])
    func refusesATableThatDoesNotFit(json: String, code: String, message: String) async throws {
        let error = await openError(try make(TableSink.self, json))
        #expect(error?.kind == .blocked)
        #expect(error?.code == code)
        #expect(error?.message == message)
    }

    @Test func refusesConflictColumnsWithoutAConstraint() async throws {
        let sink = try make(
            TableSink.self,
            #"{"database": "main", "table": "likes", "columns": {"actor": "a"}, "on_conflict": "update", "conflict_columns": ["actor"]}"#)
        let error = await openError(sink)
        #expect(error?.kind == .blocked)
        #expect(error?.code == "sink.table_mismatch")
        #expect(error?.message.contains("ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint") == true)
    }

    @Test func refusesAStatementOnAMissingTable() async throws {
        let error = await openError(try make(SQLSink.self, #"{"database": "main", "sql": "DELETE FROM missing"}"#))
        #expect(error?.kind == .blocked)
        #expect(error?.message.contains("no such table: missing") == true)
    }

    @Test func writesTypesAndCountsOnce() async throws {
        let sink = try make(
            TableSink.self,
            #"{"database": "main", "table": "likes", "columns": {"id": "${@id}", "actor": "by ${/actor}", "post_id": "${/post/id}"}}"#)
        try await sink.open()
        let payload: Bytes = #"{"actor": "kim", "post": {"id": 7}}"#
        let record = Record(topic: "t", partition: 0, offset: 0, event: Event(id: "a", key: nil, payload: payload, timestamp: 1))
        _ = try await sink.write([record, record])
        let rows = try await database.query(try database.prepare("SELECT * FROM likes"), [], limit: 9).rows
        #expect(rows == [[.text("a"), .text("by kim"), .integer(7)]])
        await #expect(throws: ModuleError.self) {
            _ = try await sink.write([
                Record(topic: "t", partition: 0, offset: 1, event: Event(id: "b", key: nil, payload: "{}", timestamp: 1))
            ])
        }
    }
}
