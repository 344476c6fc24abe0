import CSQLite
import Glibc
import Martlet

/// One connection to the file, used by one thread.
final class SQLiteConnection: DatabaseConnection, BackendConnection {
    let settings: SQLiteSettings
    private var isDamaged = false
    /// The file was replaced under the connection, or an error tells that it is damaged.
    var isSpoiled: Bool { isDamaged || hasLostFile }
    /// SQLite's connection.
    let rawHandle: OpaquePointer
    private let identity: FileIdentity?
    private let watch: SQLiteWatch
    private let statements: SQLiteStatementCache
    private let scratch = SQLiteTextScratch()
    private var isInTransaction = false
    /// The first failed statement of the transaction, which then cannot be committed.
    private var failure: ModuleError?
    private static let begin = SQLStatement(text: "BEGIN IMMEDIATE", parameterNames: [])
    private static let commit = SQLStatement(text: "COMMIT", parameterNames: [])
    private static let rollback = SQLStatement(text: "ROLLBACK", parameterNames: [])

    init(_ settings: SQLiteSettings, role: ConnectionRole) throws(ModuleError) {
        // A file that vanished is not made again, empty, while the host runs.
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (role == .firstWriter ? SQLITE_OPEN_CREATE : 0)
        var opened: OpaquePointer?
        let code = sqlite3_open_v2(settings.path, &opened, flags, nil)
        guard code == SQLITE_OK, let opened else {
            let error = SQLiteFailure(database: settings, handle: opened, code: code, sql: nil).openError
            sqlite3_close_v2(opened)
            throw error
        }
        self.settings = settings
        rawHandle = opened
        identity = FileIdentity(path: settings.path)
        watch = SQLiteWatch(opened)
        statements = SQLiteStatementCache(opened)
        sqlite3_extended_result_codes(rawHandle, 1)
        sqlite3_busy_timeout(rawHandle, CInt(settings.busyTimeoutMilliseconds))
        _ = martlet_sqlite_refuse_double_quoted_strings(rawHandle)
        try configure(role)
    }

    /// Whether the file was deleted or replaced since it was opened.
    private var hasLostFile: Bool { FileIdentity(path: settings.path) != identity }

    deinit {
        if hasLostFile { _ = martlet_sqlite_leave_log_on_close(rawHandle) }
        statements.removeAll()
        watch.remove()
        sqlite3_close_v2(rawHandle)
    }

    private func configure(_ role: ConnectionRole) throws(ModuleError) {
        try useWriteAheadLog()
        _ = try run("PRAGMA synchronous = \(settings.isFullySynchronous ? "FULL" : "NORMAL")")
        _ = try run("PRAGMA cache_size = -\(settings.cacheBytes / 1024)")
        _ = try run("PRAGMA foreign_keys = ON")
        // A log that a long reader made grow is cut again.
        _ = try run("PRAGMA journal_size_limit = 67108864")
        if role == .reader { _ = try run("PRAGMA query_only = ON") }
    }

    /// Two processes that switch a new file at the same time get SQLITE_BUSY at once, whatever the busy timeout is
    /// (both hold a shared lock and want the exclusive one), so that the waiting is done here.
    private func useWriteAheadLog() throws(ModuleError) {
        let pauseMilliseconds = 5
        var tries = settings.busyTimeoutMilliseconds / pauseMilliseconds
        while true {
            let mode: DataValue?
            do {
                mode = try run("PRAGMA journal_mode = WAL").first?.first
            } catch {
                guard error.kind == .transient, error.code == "sqlite.busy", tries > 0 else { throw error }
                tries -= 1
                usleep(UInt32(pauseMilliseconds) * 1_000)
                continue
            }
            if mode == .text("wal") { return }
            throw .blocked(
                "sqlite.no_wal",
                "database `\(settings.name)`: \(settings.path) cannot use a write-ahead log (its journal mode stays "
                    + "\(mode.map { "\($0)" } ?? "unknown")); put the file on a local file system")
        }
    }

    /// Runs statements of the platform's own, as they are. Returns the last one's rows.
    func run(_ sql: String) throws(ModuleError) -> [[DataValue]] {
        let statement = try statements.statement(sql) { prepareFailure(sql) }
        return try read(statement, limit: ResultLimits.rows).rows
    }

    // MARK: Transactions

    func begin() throws(ModuleError) {
        try step(Self.begin)
    }

    /// Runs `body` and commits; rolls back if it throws or any of its statements failed.
    func complete(_ body: (any DatabaseConnection) throws -> Void) throws(ModuleError) {
        isInTransaction = true
        failure = nil
        defer { isInTransaction = false }
        do {
            try body(self)
            if let failure { throw failure }
            try step(Self.commit)
        } catch {
            // SQLite has rolled back by itself after some errors.
            if sqlite3_get_autocommit(rawHandle) == 0 {
                do { try step(Self.rollback) } catch { isDamaged = true }
            }
            throw failure ?? DatabaseError.body(error, settings.name)
        }
    }

    /// Whether a statement of the schema has ended the transaction that it ran in.
    var hasLostTransaction: Bool { isInTransaction && sqlite3_get_autocommit(rawHandle) != 0 }

    func execute(_ statement: SQLStatement, _ parameters: [DataValue]) throws(ModuleError) -> ExecutionResult {
        try dooming { () throws(ModuleError) in
            let before = sqlite3_total_changes64(rawHandle)
            let prepared = try statements.statement(statement.text) { prepareFailure(statement.text) }
            try bind(prepared, parameters, statement.parameterNames.count)
            let result = try read(prepared, limit: ResultLimits.rows, isLimitError: true)
            let hasChanged = sqlite3_total_changes64(rawHandle) != before
            return ExecutionResult(
                changes: hasChanged ? Int(sqlite3_changes64(rawHandle)) : 0, columns: result.columns, rows: result.rows)
        }
    }

    func insertRows(_ insert: RowInsert, _ rows: [[DataValue]]) throws(ModuleError) -> Int {
        guard !rows.isEmpty else { return 0 }
        return try dooming { () throws(ModuleError) in
            let places = (1...max(1, insert.columns.count)).map { "?\($0)" }.joined(separator: ", ")
            let sql = insert.text(source: "VALUES (\(places))")
            let prepared = try statements.statement(sql) { prepareFailure(sql) }
            watch.start(limit: settings.queryTimeoutMilliseconds, nil)
            defer {
                watch.stop()
                prepared.clear()
            }
            var changes: Int64 = 0
            for row in rows {
                try bind(prepared, row, insert.columns.count)
                let code = sqlite3_step(prepared.handle)
                guard code == SQLITE_DONE else { throw stepError(prepared, code) }
                changes += sqlite3_changes64(rawHandle)
                sqlite3_reset(prepared.handle)
            }
            return Int(changes)
        }
    }

    /// Notes a failed statement, so that the transaction is rolled back whatever its body makes of the error.
    private func dooming<Value>(_ work: () throws(ModuleError) -> Value) throws(ModuleError) -> Value {
        precondition(isInTransaction, "the connection of a transaction was used after its body returned")
        if let failure { throw failure }
        do {
            return try work()
        } catch {
            failure = error
            throw error
        }
    }

    // MARK: Queries

    func query(
        _ statement: SQLStatement, _ parameters: [DataValue], limit: Int, _ cancellation: Cancellation
    ) throws(ModuleError) -> QueryResult {
        let prepared = try statements.statement(statement.text) { prepareFailure(statement.text) }
        try bind(prepared, parameters, statement.parameterNames.count)
        let result = try read(prepared, limit: limit, cancellation)
        return QueryResult(columns: result.columns, rows: result.rows)
    }

    private func step(_ statement: SQLStatement) throws(ModuleError) {
        let prepared = try statements.statement(statement.text) { prepareFailure(statement.text) }
        defer { prepared.clear() }
        let code = sqlite3_step(prepared.handle)
        guard code == SQLITE_DONE else { throw stepError(prepared, code) }
    }

    private func read(
        _ statement: SQLitePrepared, limit: Int, _ cancellation: Cancellation? = nil, isLimitError: Bool = false
    ) throws(ModuleError) -> (columns: [String], rows: [[DataValue]]) {
        watch.start(limit: settings.queryTimeoutMilliseconds, cancellation)
        defer {
            watch.stop()
            statement.clear()
        }
        var rows: [[DataValue]] = []
        var bytes = 0
        while rows.count < limit || isLimitError {
            let code = sqlite3_step(statement.handle)
            if code == SQLITE_DONE { break }
            guard code == SQLITE_ROW else { throw stepError(statement, code) }
            if rows.count == limit { throw DatabaseError.tooLarge(settings.name, "\(limit) rows", statement.sql) }
            rows.append(statement.row(&bytes))
            if bytes > ResultLimits.bytes {
                throw DatabaseError.tooLarge(settings.name, "\(ResultLimits.bytes) bytes", statement.sql)
            }
        }
        return (statement.columnNames, rows)
    }

    private func bind(_ statement: SQLitePrepared, _ values: [DataValue], _ count: Int) throws(ModuleError) {
        precondition(values.count == count, "\(values.count) values for \(count) parameters: \(statement.sql)")
        let code = scratch.bind(values, to: statement.handle)
        if code != SQLITE_OK { throw stepError(statement, code) }
    }

    private func stepError(_ statement: SQLitePrepared, _ code: CInt) -> ModuleError {
        if code & 0xFF == SQLITE_INTERRUPT {
            return DatabaseError.timeout(
                settings.name, "query_timeout_ms", settings.queryTimeoutMilliseconds, statement.sql)
        }
        let failure = SQLiteFailure(database: settings, handle: rawHandle, code: code, sql: statement.sql)
        if failure.spoilsConnection { isDamaged = true }
        return failure.stepError
    }

    private func prepareFailure(_ sql: String) -> ModuleError {
        let failure = SQLiteFailure(database: settings, handle: rawHandle, code: sqlite3_extended_errcode(rawHandle), sql: sql)
        if failure.spoilsConnection { isDamaged = true }
        return failure.prepareError
    }
}
