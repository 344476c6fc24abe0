import Martlet
import MartletTesting
import Pipelines
import PostgreSQLPlugin
import SQLSinksPlugin
import Synchronization
import Testing

struct PostgreSQLContractTests {
    @Test func keepsTheContract() async throws {
        let server = try PostgreSQLServer.shared.get()
        let names = Mutex<[Int: String]>([:])
        try await DatabaseContract.verify { request in
            let name = try names.withLock { names in
                let name = try names[request.store] ?? server.newDatabase()
                names[request.store] = name
                return name
            }
            let url = server.url(name, host: request.isReachable ? nil : "/tmp/no-server-here")
            return try TestHost().make(PostgreSQLDatabase.self, #"{"url": "\#(url)", \#(request.commonFields)}"#)
        }
    }

    @Test(arguments: [
        #"{"database": "main", "table": "arrived", "columns": {"id": "${@id}", "name": "${/name}"}}"#,
        #"""
        {"database": "main", "table": "arrived", "columns": {"id": "${@id}", "name": "${/name}"},
         "on_conflict": "update", "conflict_columns": ["id"]}
        """#,
    ])
    func tableKeepsTheContract(json: String) async throws {
        try await verify(TableSink.self, json, "CREATE TABLE arrived (id TEXT PRIMARY KEY, name VARCHAR(20) NOT NULL)")
    }

    @Test func sqlKeepsTheContract() async throws {
        let json = #"""
            {"database": "main", "sql": "INSERT INTO arrived (id, name) VALUES (:id, :name)",
             "parameters": {"name": "${/name}", "id": "${@id}"}}
            """#
        try await verify(SQLSink.self, json, "CREATE TABLE arrived (id TEXT NOT NULL, name VARCHAR(20) NOT NULL)")
    }

    private func verify<Made: Sink>(_ type: Made.Type, _ json: String, _ table: String) async throws {
        let server = try PostgreSQLServer.shared.get()
        let database = try server.makeDatabase(schema: table)
        let away = try TestHost().make(PostgreSQLDatabase.self, #"{"url": "\#(server.url("x", host: "/tmp/no-server-here"))"}"#)
        try await database.open()
        try await SinkContract.verify(
            payload: { "{\"name\": \"row \($0)\"}" }, badPayload: #"{"name": "longer than twenty characters"}"#,
            make: { try TestHost(payloads: SimdjsonPayloadReader(), databases: ["main": database]).make(type, json) },
            makeUnreachable: { try TestHost(payloads: SimdjsonPayloadReader(), databases: ["main": away]).make(type, json) },
            written: {
                let rows = try await database.query(try database.prepare("SELECT id FROM arrived"), [], limit: 100_000).rows
                return rows.compactMap { row in if case .text(let id)? = row.first { id } else { nil } }
            })
        await database.close()
    }
}
