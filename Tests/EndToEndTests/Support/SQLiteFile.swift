import CSQLite
import TestSupport

/// Reads a database file beside the host, or after it.
struct SQLiteFile {
    let path: String

    /// The rows of a query, each value as text.
    func rows(_ sql: String) throws -> [[String]] {
        var handle: OpaquePointer?
        defer { sqlite3_close_v2(handle) }
        guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK else { throw failure(handle) }
        sqlite3_busy_timeout(handle, 10_000)
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else { throw failure(handle) }
        var rows: [[String]] = []
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW:
                rows.append((0..<sqlite3_column_count(statement)).map { column in
                    sqlite3_column_text(statement, column).map { String(cString: $0) } ?? "NULL"
                })
            case SQLITE_DONE:
                return rows
            default:
                throw failure(handle)
            }
        }
    }

    func count(_ sql: String) throws -> Int {
        try Int(rows(sql).first?.first ?? "") ?? -1
    }

    private func failure(_ handle: OpaquePointer?) -> TestFailure {
        TestFailure("\(path): \(String(cString: sqlite3_errmsg(handle)))")
    }
}

/// Holds a file's write lock.
final class SQLiteLock {
    private var handle: OpaquePointer?

    init(path: String) throws {
        guard sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, nil) == SQLITE_OK else {
            throw TestFailure("cannot open \(path)")
        }
        sqlite3_busy_timeout(handle, 10_000)
        guard sqlite3_exec(handle, "BEGIN IMMEDIATE", nil, nil, nil) == SQLITE_OK else {
            throw TestFailure("cannot lock \(path): \(String(cString: sqlite3_errmsg(handle)))")
        }
    }

    func release() {
        sqlite3_close_v2(handle)
        handle = nil
    }

    deinit { release() }
}
