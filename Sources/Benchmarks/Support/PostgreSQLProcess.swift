import CLinux

/// A PostgreSQL server of a measurement's own, with Debian's defaults: each commit is synced. Reached through a socket in
/// its folder.
final class PostgreSQLProcess {
    private let folder: TemporaryFolder
    private let process: ChildProcess

    /// - Parameter parent: where its folder is made; a disk.
    /// - Throws: if PostgreSQL is not installed, or does not start.
    init(in parent: String) throws(BenchmarkError) {
        guard let programs = Self.programs else {
            throw BenchmarkError("PostgreSQL is not installed (Debian: apt-get install postgresql)")
        }
        folder = try TemporaryFolder(in: parent)
        try Self.giveToServer(folder.path)
        let data = folder.path + "/data"
        let prefix = Self.prefix
        let initialize = prefix + [programs + "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C"]
        try ChildProcess(initialize[0], Array(initialize.dropFirst()), output: folder.path + "/initdb.log").wait(atMost: 60)
        let serve = prefix + [programs + "postgres", "-D", data, "-k", folder.path, "-c", "listen_addresses="]
        process = try ChildProcess(serve[0], Array(serve.dropFirst()), output: folder.path + "/server.log")
        let _: Bool = try process.waitForOutput(atMost: 30, "PostgreSQL does not accept connections") { output in
            output.contains("ready to accept connections") ? true : nil
        }
    }

    /// Ended before its folder is removed.
    deinit {
        process.stop(signal: SIGINT)
    }

    var url: String { "postgres://postgres@/postgres?host=" + folder.path.replacing("/", with: "%2F") }

    private static var programs: String? {
        (13...20).reversed().map { "/usr/lib/postgresql/\($0)/bin/" }.first { access($0 + "postgres", X_OK) == 0 }
    }

    /// The server refuses to be root's: then it runs as the user that Debian made for it.
    private static var prefix: [String] {
        guard geteuid() == 0 else { return [] }
        return ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--pdeathsig", "INT"]
    }

    private static func giveToServer(_ path: String) throws(BenchmarkError) {
        guard geteuid() == 0 else { return }
        guard let user = getpwnam("postgres") else { throw BenchmarkError("there is no user `postgres` to run the server as") }
        guard chown(path, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else { throw .system("give \(path) to postgres") }
    }
}
