import CSQLite
import Martlet

/// A prepared statement of one connection, used on its thread.
final class SQLitePrepared {
    let handle: OpaquePointer
    let sql: String
    /// For the cache: a count of uses of the whole cache.
    var lastUse: UInt64 = 0

    init(_ handle: OpaquePointer, sql: String) {
        self.handle = handle
        self.sql = sql
    }

    deinit {
        sqlite3_finalize(handle)
    }

    /// Ends the run, and forgets the bound values, whose memory is not the statement's.
    func clear() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    // Both asked for after a step: SQLite may prepare the statement again, with other columns.
    var columnNames: [String] {
        (0..<sqlite3_column_count(handle)).map { index in
            sqlite3_column_name(handle, index).map { String(cString: $0) } ?? ""
        }
    }

    /// The current row; adds the size of its texts and blobs to `bytes`.
    func row(_ bytes: inout Int) -> [DataValue] {
        let count = sqlite3_column_count(handle)
        var row: [DataValue] = []
        row.reserveCapacity(Int(count))
        for index in 0..<count {
            row.append(value(index, &bytes))
        }
        return row
    }

    private func value(_ index: CInt, _ bytes: inout Int) -> DataValue {
        switch sqlite3_column_type(handle, index) {
        case SQLITE_INTEGER:
            let value = sqlite3_column_int64(handle, index)
            return (value == 0 || value == 1) && hasDeclaredType("BOOL", index) ? .bool(value == 1) : .integer(value)
        case SQLITE_FLOAT: return .double(sqlite3_column_double(handle, index))
        case SQLITE_TEXT:
            let text = sqlite3_column_text(handle, index)
            let count = Int(sqlite3_column_bytes(handle, index))
            bytes += count
            let string = String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
            return hasDeclaredType("JSON", index) && Self.isJSON(string) ? .json(string) : .text(string)
        case SQLITE_BLOB:
            let start = sqlite3_column_blob(handle, index)
            let count = Int(sqlite3_column_bytes(handle, index))
            bytes += count
            return .bytes(Bytes(copying: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)))
        default: return .null
        }
    }

    /// Whether the column comes straight from a table's column whose declared type begins so (upper case): SQLite keeps
    /// a BOOLEAN as an integer and JSON as text.
    private func hasDeclaredType(_ type: StaticString, _ index: CInt) -> Bool {
        guard let declared = sqlite3_column_decltype(handle, index) else { return false }
        return sqlite3_strnicmp(declared, UnsafeRawPointer(type.utf8Start).assumingMemoryBound(to: CChar.self), CInt(type.utf8CodeUnitCount)) == 0
    }

    private static func isJSON(_ text: String) -> Bool {
        let problems = ConfigProblems(file: "")
        return JSONReader.read(text, problems: problems) != nil && problems.isEmpty
    }
}
