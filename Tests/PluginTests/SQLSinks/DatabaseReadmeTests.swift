import Foundation
import Martlet
import PostgreSQLPlugin
import SQLSinksPlugin
import SQLitePlugin
import Testing

/// The example configs in the READMEs of databases and their sinks are real ones.
struct DatabaseReadmeTests {
    private func examples(_ plugin: String) throws -> [String] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("Plugins/\(plugin)/README.md"), encoding: .utf8)
        return text.components(separatedBy: "```json\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
    }

    @Test func decode() throws {
        let sqlite = try #require(try examples("SQLite").first)
        #expect(try SQLiteConfig(json: sqlite, reserved: ["type"]).schema.count == 2)
        let postgres = try #require(try examples("PostgreSQL").first)
        #expect(try PostgreSQLConfig(json: postgres, reserved: ["type"]).schema.count == 1)
        let sinks = try examples("SQLSinks")
        try #require(sinks.count == 2)
        #expect(try TableSinkConfig(json: sinks[0], reserved: ["type"]).columns.count == 4)
        #expect(try SQLSinkConfig(json: sinks[1], reserved: ["type"]).parameters.count == 1)
    }
}
