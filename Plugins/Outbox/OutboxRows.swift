import Martlet

/// The statements on an outbox table.
final class OutboxRows: Sendable {
    /// A row with its columns' names.
    struct Row: Sendable {
        let id: DataValue
        let columns: [String]
        let values: [DataValue]

        subscript(name: String) -> DataValue? {
            columns.firstIndex(of: name).map { values[$0] }
        }
    }

    private let settings: OutboxSourceConfig
    private let database: any Database
    private let table: String

    init(_ settings: OutboxSourceConfig, _ database: any Database) {
        self.settings = settings
        self.database = database
        table = settings.table.plain
    }

    /// The oldest rows that are not done.
    func read(limit: Int) async throws -> [Row] {
        guard let columns = try await database.columns(of: table) else {
            throw ModuleError.blocked("outbox.no_table", "there is no table `\(table)`; make it, for instance in the database's `schema`")
        }
        let needed = [settings.idColumn] + [settings.keyColumn, settings.payloadColumn, settings.markColumn].compactMap { $0 }
        if let missing = needed.first(where: { !columns.contains($0) }) {
            throw ModuleError.blocked(
                "outbox.no_column", "the table `\(table)` has no column `\(missing)`; it has \(columns.joined(separator: ", "))")
        }
        let names = columns.map { SQLIdentifier.quoted($0) }.joined(separator: ", ")
        var sql = "SELECT \(names) FROM \(SQLIdentifier.quoted(table))"
        if let mark = settings.markColumn { sql += " WHERE \(SQLIdentifier.quoted(mark)) IS NULL" }
        sql += " ORDER BY \(SQLIdentifier.quoted(settings.idColumn)) LIMIT \(limit)"
        let result = try await database.query(try Self.prepare(sql, database), [], limit: limit)
        guard let id = result.columns.firstIndex(of: settings.idColumn) else { return [] }
        return result.rows.map { Row(id: $0[id], columns: result.columns, values: $0) }
    }

    /// Deletes or marks rows, in one transaction.
    func finish(_ rows: [Row]) async throws {
        let condition = "WHERE \(SQLIdentifier.quoted(settings.idColumn)) = :id"
        let statement: SQLStatement
        var leading: [String: DataValue] = [:]
        if let mark = settings.markColumn {
            statement = try Self.prepare(
                "UPDATE \(SQLIdentifier.quoted(table)) SET \(SQLIdentifier.quoted(mark)) = :time \(condition)", database)
            leading["time"] = .integer(Timestamp.now())
        } else {
            statement = try Self.prepare("DELETE FROM \(SQLIdentifier.quoted(table)) \(condition)", database)
        }
        let fixed = leading
        try await database.transaction { connection in
            for row in rows {
                let parameters = statement.parameterNames.map { $0 == "id" ? row.id : fixed[$0] ?? .null }
                _ = try connection.execute(statement, parameters)
            }
        }
    }

    /// The input that a row is.
    func input(_ row: Row, _ payloads: any PayloadReader) throws(ModuleError) -> SourceInput {
        let key = settings.keyColumn.flatMap { row[$0]?.keyBytes }
        return SourceInput(payload: try payload(row, payloads), id: Bytes("\(table)/\(row.id.rendered)"), key: key)
    }

    private func payload(_ row: Row, _ payloads: any PayloadReader) throws(ModuleError) -> Bytes {
        if let column = settings.payloadColumn {
            let payload = row[column]?.keyBytes ?? .empty
            do throws(PayloadError) {
                try payloads.check(payload)
            } catch {
                throw .permanent("outbox.bad_payload", "the column `\(column)` does not hold JSON: \(error.message)")
            }
            return payload
        }
        var json: [UInt8] = []
        for (name, value) in zip(row.columns, row.values) where name != settings.markColumn {
            json.append(json.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            JSONText.appendQuoted(name, to: &json)
            json.append(UInt8(ascii: ":"))
            JSONText.append(value, to: &json)
        }
        return Bytes(json + [UInt8(ascii: "}")])
    }

    /// - Throws: blocked, `outbox.bad_statement`.
    static func prepare(_ sql: String, _ database: any Database) throws(ModuleError) -> SQLStatement {
        do throws(SQLProblem) {
            return try database.prepare(sql)
        } catch {
            throw .blocked("outbox.bad_statement", "the database refuses `\(sql)`: \(error.message)")
        }
    }
}
