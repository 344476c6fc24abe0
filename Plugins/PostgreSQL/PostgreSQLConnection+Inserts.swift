import CPQ
import Martlet

extension PostgreSQLConnection {
    /// Plans of bulk inserts that are kept.
    private static var planLimit: Int { 64 }

    func insertRows(_ insert: RowInsert, _ rows: [[DataValue]]) throws(ModuleError) -> Int {
        guard !rows.isEmpty else { return 0 }
        return try dooming { () throws(ModuleError) in
            let plan = try plan(insert)
            let rows = insert.onConflict == .update ? plan.withoutRepeats(rows) : rows
            let statement = try statements.statement(plan.sql)
            var arrays: [PostgreSQLArray] = []
            for (index, column) in plan.columns.enumerated() {
                var array = PostgreSQLArray()
                try array.set(rows, column: index, column, database: settings.name)
                arrays.append(array)
            }
            var changes = 0
            try link.run(plan.sql, role: role, { Self.send(arrays, statement.name, on: $0) }) { result in
                changes = Self.changes(result)
                return true
            }
            return changes
        }
    }

    private static func send(_ arrays: [PostgreSQLArray], _ statement: String, on handle: OpaquePointer) -> CInt {
        var pointers: [UnsafePointer<CChar>?] = []
        func send(_ index: Int) -> CInt {
            guard index < arrays.count else {
                let lengths = arrays.map { CInt($0.bytes.count) }
                let formats = arrays.map { _ in CInt(1) }
                return PQsendQueryPrepared(handle, statement, CInt(arrays.count), pointers, lengths, formats, 0)
            }
            return arrays[index].bytes.withUnsafeBytes { bytes in
                pointers.append(bytes.baseAddress?.assumingMemoryBound(to: CChar.self))
                return send(index + 1)
            }
        }
        return send(0)
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
        if inserts.count >= Self.planLimit { inserts = [:] }
        let plan = PostgreSQLInsert(insert, types: types)
        inserts[insert] = plan
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
