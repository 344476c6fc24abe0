import Martlet

/// Runs the schema steps that a database has not seen, each in a transaction of its own that also records it.
struct PostgreSQLSchema {
    /// The key of the advisory lock that hosts take in turn: "martlet" in ASCII.
    private static let lock: Int64 = 0x6D_6172_746C_6574

    private let settings: PostgreSQLSettings

    init(_ settings: PostgreSQLSettings) {
        self.settings = settings
    }

    /// - Returns: how many steps have run.
    func update(_ connection: PostgreSQLConnection) throws(ModuleError) -> Int {
        guard !settings.schema.isEmpty else { return 0 }
        try locked(connection) { () throws(ModuleError) in
            try connection.command(
                "CREATE TABLE IF NOT EXISTS martlet_schema "
                    + "(id TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at BIGINT NOT NULL)")
        }
        var count = 0
        for step in settings.schema {
            try locked(connection) { () throws(ModuleError) in
                if try run(step, connection) { count += 1 }
            }
        }
        return count
    }

    /// Runs `body` in a transaction that no other host's schema transaction runs beside.
    private func locked(
        _ connection: PostgreSQLConnection, _ body: () throws(ModuleError) -> Void
    ) throws(ModuleError) {
        try connection.begin()
        try connection.complete { _ in
            try connection.beginNow()
            // A step may build an index for hours, and another host waits for it.
            try connection.command("SET LOCAL statement_timeout = 0")
            try connection.command("SELECT pg_catalog.pg_advisory_xact_lock(\(Self.lock))", isUnlimited: true)
            try body()
        }
    }

    private func run(_ step: SchemaStep, _ connection: PostgreSQLConnection) throws(ModuleError) -> Bool {
        let select = SQLStatement(text: "SELECT checksum FROM martlet_schema WHERE id = $1", parameterNames: ["id"])
        if let recorded = try connection.execute(select, [.text(step.id)]).rows.first?.first {
            if recorded == .text(step.checksum) { return false }
            throw SchemaStep.changed(step, database: settings.name)
        }
        do {
            try connection.command(step.text, isUnlimited: true)
        } catch {
            // Never a record's fault: transient stays, everything else is the operator's to mend.
            if error.kind == .transient { throw error }
            throw .blocked("database.schema_step", "schema step `\(step.id)` failed and was rolled back: \(error.message)")
        }
        if connection.hasLostTransaction {
            throw .blocked(
                "database.schema_step",
                "database `\(settings.name)`: schema step `\(step.id)` ends the transaction it runs in: \(sqlExcerpt(step.text))")
        }
        let insert = SQLStatement(
            text: "INSERT INTO martlet_schema (id, checksum, applied_at) VALUES ($1, $2, $3)",
            parameterNames: ["id", "checksum", "applied_at"])
        _ = try connection.execute(insert, [.text(step.id), .text(step.checksum), .integer(Timestamp.now())])
        return true
    }
}
