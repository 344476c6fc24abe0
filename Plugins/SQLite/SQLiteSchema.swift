import CSQLite
import Martlet

/// Runs the schema steps that a database has not seen, each in a transaction of its own that also records it.
struct SQLiteSchema {
    private let settings: SQLiteSettings

    init(_ settings: SQLiteSettings) {
        self.settings = settings
    }

    /// - Returns: how many steps have run.
    func update(_ connection: SQLiteConnection) throws(ModuleError) -> Int {
        guard !settings.schema.isEmpty else { return 0 }
        _ = try connection.run(
            "CREATE TABLE IF NOT EXISTS martlet_schema (id TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)")
        var count = 0
        for step in settings.schema {
            // The lock that BEGIN IMMEDIATE takes makes another process that starts now wait, and then find the record.
            try connection.begin()
            try connection.complete { _ in
                if try run(step, connection) { count += 1 }
            }
        }
        return count
    }

    private func run(_ step: SchemaStep, _ connection: SQLiteConnection) throws(ModuleError) -> Bool {
        let select = SQLStatement(text: "SELECT checksum FROM martlet_schema WHERE id = ?1", parameterNames: ["id"])
        if let recorded = try connection.execute(select, [.text(step.id)]).rows.first?.first {
            if recorded == .text(step.checksum) { return false }
            throw SchemaStep.changed(step, database: settings.name)
        }
        try connection.runScript(step.text, step: step.id)
        let insert = SQLStatement(
            text: "INSERT INTO martlet_schema (id, checksum, applied_at) VALUES (?1, ?2, ?3)",
            parameterNames: ["id", "checksum", "applied_at"])
        _ = try connection.execute(insert, [.text(step.id), .text(step.checksum), .integer(Timestamp.now())])
        return true
    }
}
