import Martlet
import MartletTesting
import Pipelines
import SQLSinksPlugin
import SQLitePlugin
import TestSupport
import Testing

struct SQLSinksContractTests {
    private static let schema = #"[{"id": "1", "sql": "CREATE TABLE arrived (id TEXT NOT NULL, name TEXT NOT NULL)"}, "#
        + #"{"id": "2", "sql": "CREATE TABLE named (id TEXT PRIMARY KEY, name TEXT NOT NULL CHECK (name <> 'bad'))"}]"#

    @Test(arguments: [
        (
            "named",
            #"{"database": "main", "table": "named", "columns": {"id": "${@id}", "name": "${/name}"}}"#
        ),
        (
            "named",
            #"""
            {"database": "main", "table": "named", "columns": {"id": "${@id}", "name": "${/name}"},
             "on_conflict": "update", "conflict_columns": ["id"]}
            """#
        ),
        (
            "arrived",
            #"{"database": "main", "table": "arrived", "on_conflict": "fail", "columns": {"id": "${@id}", "name": "${/name}"}}"#
        ),
    ])
    func tableKeepsTheContract(table: String, json: String) async throws {
        try await verify(TableSink.self, json, table: table, badPayload: table == "named" ? #"{"name": "bad"}"# : #"{"nom": 1}"#)
    }

    @Test func sqlKeepsTheContract() async throws {
        let json = #"""
            {"database": "main", "sql": "INSERT INTO arrived (id, name) VALUES (:id, :name)",
             "parameters": {"name": "${/name}", "id": "${@id}"}}
            """#
        try await verify(SQLSink.self, json, table: "arrived", badPayload: #"{"name": null}"#)
    }

    private func verify<Made: Sink>(_ type: Made.Type, _ json: String, table: String, badPayload: String) async throws {
        let folder = try TemporaryFolder()
        func make(_ path: String) throws -> SQLiteDatabase {
            try TestHost(baseDirectory: folder.path).make(SQLiteDatabase.self, "{\"path\": \"\(path)\", \"schema\": \(Self.schema)}")
        }
        let database = try make("main.db")
        let away = try make("missing/main.db")
        try await database.open()
        try await SinkContract.verify(
            payload: { "{\"name\": \"row \($0)\"}" }, badPayload: badPayload,
            make: { try TestHost(payloads: SimdjsonPayloadReader(), databases: ["main": database]).make(type, json) },
            makeUnreachable: { try TestHost(payloads: SimdjsonPayloadReader(), databases: ["main": away]).make(type, json) },
            written: {
                let rows = try await database.query(try database.prepare("SELECT id FROM \(table)"), [], limit: 100_000).rows
                return rows.compactMap { row in if case .text(let id)? = row.first { id } else { nil } }
            })
        await database.close()
    }
}
