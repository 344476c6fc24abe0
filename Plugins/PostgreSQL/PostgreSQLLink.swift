import CPQ
import Glibc
import Martlet

/// A connection to the server as libpq has it: sends without blocking and waits with a deadline, so that a server or
/// network that falls silent is noticed. Used by one thread.
final class PostgreSQLLink {
    /// How much longer than the server's own limit an answer may take.
    private static let graceMilliseconds = 5_000

    let handle: OpaquePointer
    let settings: PostgreSQLSettings
    /// The connection is gone, or was given up.
    var isBroken = false

    init(_ settings: PostgreSQLSettings) throws(ModuleError) {
        self.settings = settings
        // Later entries overrule earlier ones: the url may change the first, and not the last.
        let parameters = [
            ("fallback_application_name", "martlet"), ("keepalives_idle", "15"), ("keepalives_interval", "5"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "30000"), ("dbname", settings.url), ("client_encoding", "UTF8"),
        ]
        guard let started = Self.start(parameters) else {
            throw .transient("postgres.no_memory", "database `\(settings.name)`: libpq got no memory")
        }
        handle = started
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        try connect()
        PQsetnonblocking(handle, 1)
    }

    deinit {
        PQfinish(handle)
    }

    private static func start(_ parameters: [(String, String)]) -> OpaquePointer? {
        let keywords = parameters.map { strdup($0.0) }
        let values = parameters.map { strdup($0.1) }
        defer { for pointer in keywords + values { free(pointer) } }
        return PQconnectStartParams(
            keywords.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
    }

    private func connect() throws(ModuleError) {
        let deadline = Deadline(milliseconds: settings.connectTimeoutMilliseconds)
        var polling = PGRES_POLLING_WRITING
        while PQstatus(handle) != CONNECTION_BAD {
            switch polling {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_FAILED: throw PostgreSQLFailure.connecting(settings, handle)
            default:
                let events = polling == PGRES_POLLING_READING ? POLLIN : POLLOUT
                guard wait(for: Int16(events), until: deadline) else {
                    throw .transient(
                        "postgres.connect_timeout",
                        "database `\(settings.name)`: \(place) did not answer within `connect_timeout_ms` "
                            + "(\(settings.connectTimeoutMilliseconds) ms)")
                }
                polling = PQconnectPoll(handle)
            }
        }
        throw PostgreSQLFailure.connecting(settings, handle)
    }

    /// `host:port/database`, without user and password.
    var place: String {
        func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
        return "\(text(PQhost(handle))):\(text(PQport(handle)))/\(text(PQdb(handle)))"
    }

    /// Whether the server has not hung up since its last answer. Does not wait.
    var isAlive: Bool {
        for _ in 0..<8 {
            guard !isBroken, PQstatus(handle) == CONNECTION_OK else { return false }
            var descriptor = pollfd(fd: PQsocket(handle), events: Int16(POLLIN), revents: 0)
            guard poll(&descriptor, 1, 0) > 0 else { return true }
            guard PQconsumeInput(handle) == 1 else { return false }
        }
        return true
    }

    /// Sends a command and hands each result to `each` (rows one by one if `oneByOne`), until it returns false.
    ///
    /// - Parameters:
    ///   - sql: for messages.
    ///   - send: one of libpq's `PQsend…` functions.
    /// - Throws: the server's error, or transient `postgres.connection_lost`.
    func run(
        _ sql: String, role: ConnectionRole, isUnlimited: Bool = false, oneByOne: Bool = false,
        _ send: (OpaquePointer) -> CInt, each: (OpaquePointer) throws(ModuleError) -> Bool
    ) throws(ModuleError) {
        guard !isBroken, send(handle) == 1 else { throw lost(sql) }
        if oneByOne { PQsetSingleRowMode(handle) }
        let limit = isUnlimited ? nil : answerDeadline
        var failure: ModuleError?
        var isWanted = true
        while let result = try nextResult(sql, until: limit) {
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_EMPTY_QUERY:
                guard isWanted, failure == nil else { continue }
                do {
                    isWanted = try each(result)
                } catch {
                    failure = error
                }
                if !isWanted || failure != nil { cancel() }
            case PGRES_FATAL_ERROR:
                let found = PostgreSQLFailure(settings, result, sql: sql, role: role)
                if found.endsConnection { isBroken = true }
                // After a cancellation of our own the error says only that.
                if isWanted, failure == nil { failure = found.isOfServer ? found.error : lost(sql) }
            default:
                isBroken = true
                failure = failure ?? lost(sql)
            }
            if PQstatus(handle) == CONNECTION_BAD { isBroken = true }
        }
        if let failure { throw failure }
        if PQstatus(handle) == CONNECTION_BAD { throw lost(sql) }
    }

    /// When the answer to a statement that begins now is overdue.
    var answerDeadline: Deadline {
        Deadline(milliseconds: settings.statementTimeoutMilliseconds + Self.graceMilliseconds)
    }

    /// Nil after the command's last result.
    func nextResult(_ sql: String, until deadline: Deadline?) throws(ModuleError) -> OpaquePointer? {
        while true {
            let flushed = PQflush(handle)
            guard flushed >= 0 else { break }
            if flushed == 0, PQisBusy(handle) == 0 { return PQgetResult(handle) }
            guard wait(for: Int16(POLLIN) | (flushed == 1 ? Int16(POLLOUT) : 0), until: deadline) else {
                isBroken = true
                throw .transient(
                    "postgres.no_answer",
                    "database `\(settings.name)`: \(place) did not answer in time, so the connection was given up: \(sqlExcerpt(sql))")
            }
            guard PQconsumeInput(handle) == 1 else { break }
        }
        // What the server said before it hung up is still to be read.
        if let result = PQgetResult(handle) { return result }
        throw lost(sql)
    }

    func lost(_ sql: String) -> ModuleError {
        isBroken = true
        return .transient(
            PostgreSQLFailure.connectionLostCode,
            "database `\(settings.name)`: the connection to \(place) was lost: "
                + "\(settings.clean(String(cString: PQerrorMessage(handle)))); it is made again: \(sqlExcerpt(sql))")
    }

    /// Asks the server to stop the running command.
    func cancel() {
        guard let cancel = PQgetCancel(handle) else { return }
        var message = [CChar](repeating: 0, count: 256)
        PQcancel(cancel, &message, CInt(message.count))
        PQfreeCancel(cancel)
    }

    /// Whether the socket is ready; false at the deadline.
    private func wait(for events: Int16, until deadline: Deadline?) -> Bool {
        while true {
            var descriptor = pollfd(fd: PQsocket(handle), events: events, revents: 0)
            let ready = poll(&descriptor, 1, deadline?.remainingMilliseconds ?? -1)
            if ready > 0 { return true }
            if ready == 0 { return false }
            if errno != EINTR { return true }
        }
    }
}
