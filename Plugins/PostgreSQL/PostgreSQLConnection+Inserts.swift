import CPQ
import Martlet

extension PostgreSQLConnection {
    func insertRows(_ insert: RowInsert, _ rows: [[DataValue]]) throws(ModuleError) -> Int {
        guard !rows.isEmpty else { return 0 }
        return try dooming(begins: true) { () throws(ModuleError) in
            let rows = try encode(RowBatch(insert, rows))
            let prepared = try statements.statement(rows.sql)
            var changes = 0
            try runTogether(1, sql: { _ in prepared.sql }) { (_, handle) throws(ModuleError) in
                rows.send(prepared.name, on: handle)
            } each: { (_, result) throws(ModuleError) in
                changes = Self.changes(result)
            }
            return changes
        }
    }

    func insertRows(_ batch: RowBatch, ifChanged first: StatementCall, isLast: Bool) throws(ModuleError) -> Int? {
        guard !batch.rows.isEmpty else { return try execute(first.statement, first.parameters).changes > 0 ? 0 : nil }
        return try dooming(begins: true) { () throws(ModuleError) in
            let rows = try encode(batch)
            let move = try statements.statement(Self.failingWithoutChange(first.statement.text))
            let insert = try statements.statement(rows.sql)
            var (changes, hasMoved) = (0, false)
            do throws(ModuleError) {
                try runTogether(isLast ? 3 : 2, sql: { [move.sql, insert.sql, "COMMIT"][$0] }) { (number, handle) throws(ModuleError) in
                    switch number {
                    case 0:
                        try parameters.set(first.parameters, types: move.parameterTypes, database: settings.name)
                        return parameters.send(move.name, on: handle)
                    case 1: return rows.send(insert.name, on: handle)
                    default: return PQsendQueryParams(handle, "COMMIT", 0, nil, nil, nil, nil, 0)
                    }
                } each: { (number, result) throws(ModuleError) in
                    switch number {
                    case 0: hasMoved = true
                    case 1: changes = Self.changes(result)
                    default: hasCommitted = true
                    }
                }
            } catch {
                if isLast, link.isBroken { throw uncertainCommit(error) }
                if !hasMoved, error.kind == .permanent { return nil }
                throw error
            }
            return changes
        }
    }

    /// The statement, failing (division by zero) if it changes no row: then the server skips what was sent after it, and the
    /// client need not look in between.
    private static func failingWithoutChange(_ sql: String) -> String {
        "WITH changed AS (\(sql) RETURNING 1) SELECT 1 / count(*) FROM changed"
    }

    private func encode(_ batch: RowBatch) throws(ModuleError) -> PostgreSQLRows {
        let plan = try plan(batch.insert)
        // Unless the table has changed since the rows were made ready.
        if let rows = batch.prepared as? PostgreSQLRows, rows.sql == plan.sql { return rows }
        return try PostgreSQLRows(batch.rows, plan, database: settings.name)
    }

    /// Asks for the columns' types once a connection.
    private func plan(_ insert: RowInsert) throws(ModuleError) -> PostgreSQLInsert {
        if let plan = inserts[insert] { return plan }
        let found = try columnTypes(of: insert.table)
        guard !found.isEmpty else {
            throw .blocked(
                "postgres.statement",
                "database `\(settings.name)`: there is no table `\(insert.table)`; make it with a step of the database's `schema`")
        }
        var types: [(oid: Oid, name: String, category: String)] = []
        for column in insert.columns {
            guard let type = found[column] else {
                throw .blocked(
                    "postgres.statement",
                    "database `\(settings.name)`: table `\(insert.table)` has no column `\(column)`; it has "
                        + found.keys.sorted().joined(separator: ", "))
            }
            types.append(type)
        }
        if inserts.count >= PostgreSQLPlans.limit { inserts = [:] }
        let plan = PostgreSQLInsert(insert, types: types)
        inserts[insert] = plan
        plans.learned(plan, insert)
        return plan
    }

    private func columnTypes(
        of table: String
    ) throws(ModuleError) -> [String: (oid: Oid, name: String, category: String)] {
        let statement = SQLStatement(
            text: """
                SELECT a.attname::text, a.atttypid::bigint, pg_catalog.format_type(a.atttypid, NULL), t.typcategory::text
                FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
                WHERE a.attrelid = pg_catalog.to_regclass(pg_catalog.quote_ident($1)) AND a.attnum > 0 AND NOT a.attisdropped
                """,
            parameterNames: ["table"])
        var types: [String: (oid: Oid, name: String, category: String)] = [:]
        for row in try execute(statement, [.text(table)]).rows {
            guard row.count == 4, case .text(let name) = row[0], case .integer(let oid) = row[1],
                case .text(let type) = row[2], case .text(let category) = row[3]
            else { continue }
            types[name] = (Oid(truncatingIfNeeded: oid), type, category)
        }
        return types
    }
}
