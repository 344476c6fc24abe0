import CPQ
import Martlet
import Synchronization

/// The server's process behind the writer's last connection.
///
/// When a connection breaks, its process may live on for a while, with its locks, and with a commit on its way that
/// nobody waits for. A new writer ends it first, so that what it reads then is settled: nothing of the old one comes later.
final class PostgreSQLPredecessor: Sendable {
    private struct Backend {
        let process: String
        /// Process ids come again; with the start they are unique.
        let start: String
    }

    private static let pauseSeconds = 0.02
    private static let tries = 250

    private let last = Mutex<Backend?>(nil)

    /// Ends the last writer's process and takes its place.
    ///
    /// - Throws: transient, `postgres.predecessor`, if the process does not end within five seconds.
    func settle(_ link: PostgreSQLLink, role: ConnectionRole) throws(ModuleError) {
        if let backend = last.withLock({ $0 }) { try end(backend, link, role) }
        var own: Backend?
        let sql = "SELECT pid, extract(epoch FROM backend_start)::text FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()"
        try link.run(sql, role: role, { PQsendQuery($0, sql) }) { result in
            if PQntuples(result) == 1, let process = PQgetvalue(result, 0, 0), let start = PQgetvalue(result, 0, 1) {
                own = Backend(process: String(cString: process), start: String(cString: start))
            }
            return true
        }
        last.withLock { $0 = own }
    }

    private func end(_ backend: Backend, _ link: PostgreSQLLink, _ role: ConnectionRole) throws(ModuleError) {
        // Another server (after a failover) has no such process. The connection's own process is not meant.
        let sql = """
            SELECT pg_catalog.pg_terminate_backend(pid), pg_catalog.pg_sleep(\(Self.pauseSeconds)) FROM pg_catalog.pg_stat_activity
            WHERE pid = \(backend.process) AND extract(epoch FROM backend_start)::text = '\(backend.start)' AND pid <> pg_catalog.pg_backend_pid()
            """
        for _ in 0..<Self.tries {
            var isGone = false
            try link.run(sql, role: role, { PQsendQuery($0, sql) }) { result in
                isGone = PQntuples(result) == 0
                return true
            }
            if isGone { return }
        }
        throw .transient(
            "postgres.predecessor",
            "database `\(link.settings.name)`: the server still runs process \(backend.process) of a connection that was lost, which "
                + "may hold an unfinished commit; it is ended first")
    }
}
