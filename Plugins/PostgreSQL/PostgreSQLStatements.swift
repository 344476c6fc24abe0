import CPQ
import Martlet

/// A statement prepared on one connection.
struct PostgreSQLPrepared {
    let name: String
    let sql: String
    /// The types that the server has found for the parameters (pg_type.oid).
    let parameterTypes: [Oid]
    /// For the cache: a count of uses of the whole cache.
    fileprivate(set) var lastUse: UInt64
}

/// Prepared statements of one connection, by their text; the one unused for longest makes room. A new connection
/// begins with an empty cache.
final class PostgreSQLStatements {
    private static let limit = 256

    private let link: PostgreSQLLink
    private let role: ConnectionRole
    private var statements: [String: PostgreSQLPrepared] = [:]
    private var uses: UInt64 = 0
    private var names = 0

    init(_ link: PostgreSQLLink, role: ConnectionRole) {
        self.link = link
        self.role = role
    }

    func statement(_ sql: String) throws(ModuleError) -> PostgreSQLPrepared {
        uses += 1
        if let index = statements.index(forKey: sql) {
            statements.values[index].lastUse = uses
            return statements.values[index]
        }
        if statements.count >= Self.limit, let oldest = statements.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            let command = "DEALLOCATE \(oldest.value.name)"
            try link.run(command, role: role, { PQsendQuery($0, command) }, each: { _ in true })
            statements.removeValue(forKey: oldest.key)
        }
        names += 1
        let name = "martlet_\(names)"
        try link.run(sql, role: role, { PQsendPrepare($0, name, sql, 0, nil) }, each: { _ in true })
        var types: [Oid] = []
        try link.run(sql, role: role, { PQsendDescribePrepared($0, name) }) { result in
            types = (0..<PQnparams(result)).map { PQparamtype(result, $0) }
            return true
        }
        let statement = PostgreSQLPrepared(name: name, sql: sql, parameterTypes: types, lastUse: uses)
        statements[sql] = statement
        return statement
    }

    /// Forgets the statements: the server has.
    func removeAll() {
        statements = [:]
    }
}
