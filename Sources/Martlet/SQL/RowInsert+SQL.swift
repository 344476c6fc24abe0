extension RowInsert {
    /// `INSERT INTO … (columns) <source> ON CONFLICT …`, in the dialect that SQLite and PostgreSQL share.
    ///
    /// - Parameter source: what gives the rows: `VALUES (?1, ?2)`, `SELECT unnest($1), unnest($2)`.
    package func text(source: String) -> String {
        let list = columns.map(SQLIdentifier.quoted).joined(separator: ", ")
        return "INSERT INTO \(SQLIdentifier.quoted(table)) (\(list)) \(source)\(conflictClause)"
    }

    private var conflictClause: String {
        let target = conflictColumns.isEmpty
            ? "" : " (\(conflictColumns.map(SQLIdentifier.quoted).joined(separator: ", ")))"
        switch onConflict {
        case .fail: return ""
        case .ignore: return " ON CONFLICT\(target) DO NOTHING"
        case .update:
            let others = columns.filter { !conflictColumns.contains($0) }.map(SQLIdentifier.quoted)
            guard !others.isEmpty else { return " ON CONFLICT\(target) DO NOTHING" }
            return " ON CONFLICT\(target) DO UPDATE SET \(others.map { "\($0) = excluded.\($0)" }.joined(separator: ", "))"
        }
    }
}
