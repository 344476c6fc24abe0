import Foundation
import Martlet
import MartletTesting
import PostgreSQLPlugin
import SQLitePlugin
import TestSupport
import Testing

/// Every statement of the page on common SQL runs on both databases and returns the same.
struct CommonSQLTests {
    private static let values: [String: DataValue] = [
        "owner": .text("ben"), "actor": .text("ana"), "other": .text("cem"), "post_id": .integer(7), "title": .text("first light"),
        "now": .integer(1_795_521_720_127), "count": .integer(41), "flag": .bool(false), "client": .text("web"),
        "details": .json(#"{"client":"web","place":{"city":"Bern"}}"#),
    ]

    /// The statements of the page's blocks, in order.
    private func blocks() throws -> [[String]] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../..").standardized
        let page = root.appendingPathComponent("Sources/Pipelines/Pipelines.docc/CommonSQL.md")
        return try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```sql\n").dropFirst().map { block in
            block.components(separatedBy: "```")[0].components(separatedBy: ";\n").map { $0.trimmingCharacters(in: .whitespacesAndNewlines) }
                .filter { !$0.isEmpty }
        }
    }

    private func run(_ sql: String, _ database: any Database) async throws -> ExecutionResult {
        let statement = try database.prepare(sql)
        let values = try statement.parameterNames.map { try #require(Self.values[$0], "no value for :\($0)") }
        if sql.hasPrefix("SELECT") || sql.hasPrefix("WITH") {
            // Through a reader, as the config's queries go.
            let result = try await database.query(statement, values, limit: 100)
            return ExecutionResult(changes: 0, columns: result.columns, rows: result.rows)
        }
        return try await database.transaction { try $0.execute(statement, values) }
    }

    @Test func bothDatabasesAgreeOnThePage() async throws {
        let blocks = try blocks()
        try #require(blocks.count == 7)
        let schema = blocks[0].enumerated().map { #"{"id": "\#($0.offset)", "sql": \#(JSONText.quoted($0.element))}"# }.joined(separator: ", ")
        let folder = try TemporaryFolder()
        let sqlite = try TestHost(baseDirectory: folder.path).make(SQLiteDatabase.self, #"{"path": "main.db", "schema": [\#(schema)]}"#)
        let server = try PostgreSQLServer.shared.get()
        let postgres = try TestHost().make(PostgreSQLDatabase.self, #"{"url": "\#(server.url(try server.newDatabase()))", "schema": [\#(schema)]}"#)
        try await sqlite.open()
        try await postgres.open()
        var count = 0
        for sql in blocks[1...].joined() {
            let (one, other) = (try await run(sql, sqlite), try await run(sql, postgres))
            #expect(one.columns == other.columns, "\(sql)")
            #expect(one.rows == other.rows, "\(sql)")
            #expect(one.changes == other.changes, "\(sql)")
            // A statement that does nothing shows nothing.
            #expect(one.changes > 0 || !one.rows.isEmpty || sql.hasPrefix("DELETE FROM likes WHERE created_at"), "\(sql)")
            count += 1
        }
        #expect(count >= 24)
        await sqlite.close()
        await postgres.close()
    }
}
