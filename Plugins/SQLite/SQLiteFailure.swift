import CSQLite
import Glibc
import Martlet

/// What SQLite reported, and what it means for the runtime. Codes: https://www.sqlite.org/rescode.html
struct SQLiteFailure {
    private let database: SQLiteSettings
    private let code: CInt
    private let message: String
    private let sql: String?

    /// - Parameter handle: the connection, right after the failed call; nil if there is none.
    init(database: SQLiteSettings, handle: OpaquePointer?, code: CInt, sql: String?) {
        self.database = database
        self.code = code
        self.sql = sql
        message = String(cString: handle.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code))
    }

    private var primary: CInt { code & 0xFF }

    /// The file under the connection was replaced or damaged: only a new connection can see it mended.
    var spoilsConnection: Bool {
        switch primary {
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_IOERR, SQLITE_CANTOPEN, SQLITE_READONLY: true
        default: false
        }
    }

    /// The error of opening the file.
    var openError: ModuleError {
        if primary == SQLITE_CANTOPEN { return .transient("sqlite.cannot_open", text(openAdvice)) }
        return prepareError
    }

    /// The error of compiling a statement: never a record's fault.
    var prepareError: ModuleError {
        if let error = common { return error }
        return .blocked("sqlite.statement", text("mend the statement, or make what it names with a schema step"))
    }

    /// The error of running a statement.
    var stepError: ModuleError {
        if let error = common { return error }
        switch primary {
        case SQLITE_CONSTRAINT: return .permanent("sqlite.constraint", text("the values break a rule of the table"))
        case SQLITE_MISMATCH: return .permanent("sqlite.mismatch", text("a value has the wrong type for its column"))
        case SQLITE_TOOBIG: return .permanent("sqlite.too_big", text("a value is longer than SQLite can hold"))
        case SQLITE_RANGE: return .permanent("sqlite.range", text("a value has no parameter"))
        case SQLITE_ERROR where !message.hasPrefix("no such ") && !message.contains(" has no column named "):
            // Functions report bad values so: integer overflow, malformed JSON.
            return .permanent("sqlite.value", text("the statement cannot be run on these values"))
        default: return prepareError
        }
    }

    private var common: ModuleError? {
        switch primary {
        case SQLITE_BUSY, SQLITE_LOCKED, SQLITE_PROTOCOL, SQLITE_SCHEMA:
            .transient(
                "sqlite.busy",
                text("another process held the file for longer than `busy_timeout_ms` (\(database.busyTimeoutMilliseconds) ms)"))
        case SQLITE_FULL: .transient("sqlite.full", text("the disk is full (or a quota is): free some space"))
        case SQLITE_IOERR: .transient("sqlite.io", text("the disk or file system failed: see the system's log"))
        case SQLITE_CANTOPEN: .transient("sqlite.cannot_open", text(openAdvice))
        case SQLITE_NOMEM: .transient("sqlite.no_memory", text("the system refused memory"))
        case SQLITE_INTERRUPT: .transient("sqlite.interrupted", text("the statement was stopped"))
        case SQLITE_READONLY:
            .blocked("sqlite.read_only", text("\(database.path) cannot be written: a query may only read, else check the owner and mode of the file and its folder"))
        case SQLITE_AUTH, SQLITE_PERM: .blocked("sqlite.not_allowed", text("check the owner and mode of \(database.path)"))
        case SQLITE_CORRUPT:
            .blocked(
                "sqlite.corrupt",
                text("\(database.path) is damaged: stop the host, restore a backup or try `sqlite3 FILE .recover`"))
        case SQLITE_NOTADB:
            .blocked("sqlite.not_a_database", text("\(database.path) is not a SQLite file (or is encrypted): check `path`"))
        default: nil
        }
    }

    /// Why the file cannot be opened, as far as the file system tells.
    private var openAdvice: String {
        let path = database.path
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        if stat(folder, &status) != 0 {
            return "the folder `\(folder)` of \(path) cannot be used (\(String(cString: strerror(errno)))): make it, or change `path`"
        }
        if status.st_mode & S_IFMT != S_IFDIR { return "`\(folder)` is not a folder: change `path`" }
        if stat(path, &status) == 0 {
            if status.st_mode & S_IFMT == S_IFDIR { return "\(path) is a folder: `path` must name a file" }
            if access(path, R_OK | W_OK) != 0 { return "no permission to read and write \(path): check its owner and mode" }
        }
        if access(folder, W_OK | X_OK) != 0 {
            return "no permission to write in the folder `\(folder)`: check its owner and mode"
        }
        return "\(path) is not there any more, or cannot be opened: put it back, or restart the host to make a new one"
    }

    private func text(_ advice: String) -> String {
        var text = "database `\(database.name)`: \(message)"
        if code != primary || primary == SQLITE_ERROR { text += " (SQLite \(code))" }
        text += "; \(advice)"
        if let sql { text += ": \(sqlExcerpt(sql))" }
        return text
    }
}
