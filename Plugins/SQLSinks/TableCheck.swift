import Martlet

/// Checks a `table` sink's columns against the table as it is, without writing.
struct TableCheck: Sendable {
    private let insert: RowInsert
    private let database: any Database
    private let databaseName: String
    /// Has the database plan an insert: it knows which constraints and types there are.
    private let explain: SQLStatement

    init(_ insert: RowInsert, _ templates: TemplateSet, database: any Database, name: String) throws(SQLProblem) {
        self.insert = insert
        self.database = database
        databaseName = name
        let samples = templates.templates.map(Self.sample).joined(separator: ", ")
        explain = try database.prepare("EXPLAIN " + insert.text(source: "VALUES (\(samples))"))
    }

    /// - Throws: blocked if there is no such table or column, no unique constraint on `conflict_columns`, or a column
    ///   that can never take what its template yields.
    func run() async throws {
        guard let columns = try await database.columns(of: insert.table) else {
            throw ModuleError.blocked(
                "sink.no_table",
                "database `\(databaseName)` has no table `\(insert.table)`; make it with a step of the database's `schema`")
        }
        let unknown = insert.columns.filter { !columns.contains($0) }
        guard unknown.isEmpty else { throw missing(unknown, among: columns) }
        do {
            _ = try await database.transaction { [explain] in try $0.execute(explain, []) }
        } catch let error as ModuleError where error.kind == .permanent || error.kind == .blocked {
            throw ModuleError.blocked(
                "sink.table_mismatch",
                "the table `\(insert.table)` of database `\(databaseName)` cannot take this sink's rows: \(error.message)")
        }
    }

    private func missing(_ unknown: [String], among columns: [String]) -> ModuleError {
        let names = unknown.map { name in
            let nearest = Suggestion.nearest(to: name, among: columns)
            return "`\(name)`" + (nearest.map { " (did you mean `\($0)`?)" } ?? "")
        }
        return .blocked(
            "sink.no_column",
            "table `\(insert.table)` of database `\(databaseName)` has no column \(names.joined(separator: ", no column ")); "
                + "it has \(columns.joined(separator: ", "))")
    }

    /// A literal of the type that the template always yields, or NULL if that depends on the record.
    private static func sample(_ template: Template) -> String {
        if let constant = template.constant {
            return "'\(constant.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
        }
        switch template.whole {
        case .variable(.partition), .variable(.offset), .variable(.timestamp): return "0"
        default: return "NULL"
        }
    }
}
