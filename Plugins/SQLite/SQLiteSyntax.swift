import CSQLite
import Martlet

/// Lets SQLite itself check statements before there is a database: in memory, where no table exists.
enum SQLiteSyntax {
    /// What is wrong with one statement; nil if it can be parsed, whatever tables it names.
    static func problem(in sql: String) -> SQLProblem? {
        withMemory { check($0, sql, oneOnly: true) }
    }

    /// What is wrong with several statements.
    static func problem(inScript sql: String) -> SQLProblem? {
        withMemory { check($0, sql, oneOnly: false) }
    }

    private static func withMemory(_ body: (OpaquePointer) -> SQLProblem?) -> SQLProblem? {
        var handle: OpaquePointer?
        defer { sqlite3_close_v2(handle) }
        guard sqlite3_open_v2(":memory:", &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nil) == SQLITE_OK,
            let handle
        else { return SQLProblem("SQLite cannot check the statement: no memory") }
        _ = martlet_sqlite_refuse_double_quoted_strings(handle)
        return body(handle)
    }

    private static func check(_ handle: OpaquePointer, _ sql: String, oneOnly: Bool) -> SQLProblem? {
        var sql = sql
        return sql.withUTF8 { bytes -> SQLProblem? in
            var offset = 0
            while offset < bytes.count {
                let start = UnsafeRawPointer(bytes.baseAddress.unsafelyUnwrapped + offset).assumingMemoryBound(to: CChar.self)
                var statement: OpaquePointer?
                var tail: UnsafePointer<CChar>?
                let code = sqlite3_prepare_v2(handle, start, CInt(clamping: bytes.count - offset), &statement, &tail)
                sqlite3_finalize(statement)
                if code != SQLITE_OK {
                    let message = String(cString: sqlite3_errmsg(handle))
                    if isSyntax(message) {
                        let place = sqlite3_error_offset(handle)
                        return SQLProblem("SQLite cannot parse this: \(message)", at: place < 0 ? nil : offset + Int(place))
                    }
                }
                guard !oneOnly, let tail, tail > start else { return nil }
                offset += tail - start
            }
            return nil
        }
    }

    /// Everything else is about tables and columns, which only the real database knows.
    private static func isSyntax(_ message: String) -> Bool {
        message.contains("syntax error") || message.hasPrefix("incomplete input") || message.hasPrefix("unrecognized token")
    }
}
