/// A database whose work a ``DatabaseEngine`` does: what is the same for all backends.
package protocol EngineDatabase: Database {
    /// The database's ``DatabaseLifeCycle``.
    var work: any DatabaseWork { get }
    /// Reads the names of a table's columns, in its order; the table's name is the only parameter.
    static var columnsQuery: SQLStatement { get }
}

/// What a ``DatabaseLifeCycle`` does, whatever its connections are.
package protocol DatabaseWork: Sendable {
    /// See ``Database/transaction(_:completion:)`` and ``Database/urgentTransaction(_:completion:)``.
    func transaction(
        isUrgent: Bool, _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void)

    /// See ``Database/query(_:_:limit:)``.
    func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult

    /// Returns when what was queued has run and the connections are closed.
    func close() async
}

// Public, since types that are public conform to a public protocol with them.
extension EngineDatabase {
    public func transaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        work.transaction(isUrgent: false, body, completion: completion)
    }

    public func urgentTransaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        work.transaction(isUrgent: true, body, completion: completion)
    }

    public func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult {
        try await work.query(statement, parameters, limit: limit)
    }

    public func columns(of table: String) async throws -> [String]? {
        let result = try await query(Self.columnsQuery, [.text(table)], limit: ResultLimits.rows)
        let names = result.rows.compactMap { row -> String? in
            if case .text(let name)? = row.first { name } else { nil }
        }
        return names.isEmpty ? nil : names
    }

    public func close() async {
        await work.close()
    }
}
