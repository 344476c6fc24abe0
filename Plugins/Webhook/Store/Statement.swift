import Martlet

/// A prepared statement that takes its values by name.
struct Statement: Sendable {
    let sql: SQLStatement

    init(_ sql: String, _ database: any Database) throws(SQLProblem) {
        self.sql = try database.prepare(sql)
    }

    func values(_ named: [(String, DataValue)]) -> [DataValue] {
        sql.parameterNames.map { name in named.first { $0.0 == name }?.1 ?? .null }
    }

    @discardableResult
    func run(_ connection: any DatabaseConnection, _ named: (String, DataValue)...) throws(ModuleError) -> ExecutionResult {
        try connection.execute(sql, values(named))
    }

    /// Reads beside the writer.
    func query(_ database: any Database, limit: Int, _ named: (String, DataValue)...) async throws -> [[DataValue]] {
        try await database.query(sql, values(named), limit: limit).rows
    }
}

/// A statement over many ids at once: `… IN (:i0, :i1, …)`.
struct IDStatement: Sendable {
    /// Ids of one execution; those that are left over are filled up with -1, which no row has.
    static let width = 100

    private let statement: Statement

    /// - Parameter sql: holds `IN (:ids)`.
    init(_ sql: String, _ database: any Database) throws(SQLProblem) {
        let places = (0..<Self.width).map { ":i\($0)" }.joined(separator: ", ")
        let parts = sql.split(separator: ":ids", maxSplits: 1, omittingEmptySubsequences: false)
        precondition(parts.count == 2, "the statement has no place for ids: \(sql)")
        statement = try Statement(String(parts[0]) + places + String(parts[1]), database)
    }

    /// Runs it as often as it takes. Returns how many rows changed.
    func run(_ connection: any DatabaseConnection, ids: [Int64], _ named: (String, DataValue)...) throws(ModuleError) -> Int {
        var changes = 0
        for start in stride(from: 0, to: ids.count, by: Self.width) {
            let chunk = ids[start..<min(start + Self.width, ids.count)]
            var index = chunk.startIndex
            let values = statement.sql.parameterNames.map { name -> DataValue in
                if let value = named.first(where: { $0.0 == name })?.1 { return value }
                // The ids' parameters come in their order.
                defer { index += 1 }
                return .integer(index < chunk.endIndex ? chunk[index] : -1)
            }
            changes += try connection.execute(statement.sql, values).changes
        }
        return changes
    }
}
