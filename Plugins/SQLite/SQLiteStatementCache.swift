import CSQLite
import Martlet

/// Prepared statements of one connection, by their text; the one unused for longest makes room.
final class SQLiteStatementCache {
    private static let limit = 128

    private let connection: OpaquePointer
    private var statements: [String: SQLitePrepared] = [:]
    private var uses: UInt64 = 0

    init(_ connection: OpaquePointer) {
        self.connection = connection
    }

    /// - Parameter failure: makes the error, right after SQLite refused the text.
    func statement(_ sql: String, _ failure: () -> ModuleError) throws(ModuleError) -> SQLitePrepared {
        uses += 1
        if let statement = statements[sql] {
            statement.lastUse = uses
            return statement
        }
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v3(connection, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &handle, nil)
        guard code == SQLITE_OK, let handle else { throw failure() }
        if statements.count >= Self.limit, let oldest = statements.min(by: { $0.value.lastUse < $1.value.lastUse }) {
            statements.removeValue(forKey: oldest.key)
        }
        let statement = SQLitePrepared(handle, sql: sql)
        statement.lastUse = uses
        statements[sql] = statement
        return statement
    }

    func removeAll() {
        statements = [:]
    }
}
