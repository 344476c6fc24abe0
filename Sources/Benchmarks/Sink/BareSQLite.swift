import CSQLite

/// The least that SQLite can do for the rows: one prepared insert, stepped by a loop, a commit for each batch.
struct BareSQLite {
    private let handle: OpaquePointer
    private let path: String

    init(_ path: String) throws(BenchmarkError) {
        var opened: OpaquePointer?
        guard sqlite3_open(path, &opened) == SQLITE_OK, let opened else { throw BenchmarkError("cannot open \(path)") }
        handle = opened
        self.path = path
    }

    /// Makes the table, with the same durability and cache as the database module's.
    func prepare() throws(BenchmarkError) {
        for sql in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", "PRAGMA cache_size = -16384", SinkRows.table] {
            try run(sql)
        }
    }

    /// Inserts the rows; returns the seconds that it took.
    func insert(_ rows: SinkRows) throws(BenchmarkError) -> Double {
        var statement: OpaquePointer?
        let sql = "INSERT INTO notifications (id, recipient, text, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK else { throw failure() }
        defer { sqlite3_finalize(statement) }
        let (recipient, text) = (Array(SinkRows.recipient.utf8), Array(SinkRows.text.utf8))
        let start = MonotonicClock.now
        for first in stride(from: 0, to: rows.ids.count, by: SinkRows.batch) {
            try run("BEGIN IMMEDIATE")
            for index in first..<min(first + SinkRows.batch, rows.ids.count) {
                let code = rows.ids[index].withUnsafeBufferPointer { id in
                    Self.bind(statement, 1, id)
                    recipient.withUnsafeBufferPointer { Self.bind(statement, 2, $0) }
                    text.withUnsafeBufferPointer { Self.bind(statement, 3, $0) }
                    sqlite3_bind_int64(statement, 4, rows.createdAt)
                    return sqlite3_step(statement)
                }
                guard code == SQLITE_DONE else { throw failure() }
                sqlite3_reset(statement)
            }
            try run("COMMIT")
        }
        return Double(MonotonicClock.now - start) / 1e9
    }

    /// How many rows are there.
    func count() throws(BenchmarkError) -> Int {
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        guard sqlite3_prepare_v2(handle, "SELECT count(*) FROM notifications", -1, &statement, nil) == SQLITE_OK,
            sqlite3_step(statement) == SQLITE_ROW
        else { throw failure() }
        return Int(sqlite3_column_int64(statement, 0))
    }

    func close() {
        sqlite3_close_v2(handle)
    }

    /// The bytes stay where they are until the step is over.
    private static func bind(_ statement: OpaquePointer?, _ place: CInt, _ bytes: UnsafeBufferPointer<UInt8>) {
        bytes.withMemoryRebound(to: CChar.self) { _ = sqlite3_bind_text(statement, place, $0.baseAddress, CInt($0.count), nil) }
    }

    private func run(_ sql: String) throws(BenchmarkError) {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw failure() }
    }

    private func failure() -> BenchmarkError {
        BenchmarkError("\(path): \(String(cString: sqlite3_errmsg(handle)))")
    }
}
