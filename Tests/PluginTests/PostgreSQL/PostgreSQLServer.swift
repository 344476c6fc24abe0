import Foundation
import Martlet
import MartletTesting
import PostgreSQLPlugin
import Synchronization

/// A real PostgreSQL server in a temporary folder, reached through a socket in it, as user `postgres` when the tests run
/// as root. A shell beside it stops it and removes the folder when the test process ends, however it ends.
final class PostgreSQLServer: Sendable {
    struct Failure: Error {
        let text: String
    }

    /// The server that most tests share, each with databases of its own.
    static let shared = Result { try PostgreSQLServer() }
    private static let programs = "/usr/lib/postgresql/15/bin"

    let folder: String
    private let port: Int
    private let keeper: Process
    private let standardInput = Pipe()
    private let standardOutput = Pipe()
    private let names = Atomic<Int>(0)

    /// - Parameters:
    ///   - port: names the socket in its folder; TCP only if the settings say so.
    ///   - settings: further lines of postgresql.conf.
    ///   - preparation: a script that runs before the server starts; `$folder` is its folder, `$folder/data` its data.
    init(port: Int = 5432, settings: [String] = [], preparation: String = "") throws {
        self.port = port
        let script = """
            set -e
            folder=$(mktemp -d /tmp/martlet-postgres-XXXXXX)
            "$0/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C -N >"$folder/log" 2>&1
            cat >>"$folder/data/postgresql.conf" <<END
            listen_addresses = ''
            unix_socket_directories = '$folder'
            fsync = off
            max_connections = 60
            port = \(port)
            \(settings.joined(separator: "\n"))
            END
            {
            :
            \(preparation)
            } >>"$folder/log" 2>&1
            start() { "$0/pg_ctl" -D "$folder/data" -l "$folder/log" -w start </dev/null >/dev/null 2>&1; }
            stop() { "$0/pg_ctl" -D "$folder/data" -m immediate -w stop </dev/null >/dev/null 2>&1; }
            start
            echo "$folder"
            while read -r command; do
              if "$command"; then echo done; else echo failed; fi
            done
            stop || true
            rm -rf "$folder"
            """
        keeper = Self.process(["/bin/sh", "-c", script, Self.programs])
        keeper.standardInput = standardInput
        keeper.standardOutput = standardOutput
        try keeper.run()
        folder = try Self.line(from: standardOutput)
        guard !folder.isEmpty else {
            throw Failure(text: "PostgreSQL did not start; Debian's package postgresql-15 must be installed")
        }
    }

    private static func line(from pipe: Pipe) throws -> String {
        var line = Data()
        while let byte = try pipe.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) { line += byte }
        return String(decoding: line, as: UTF8.self)
    }

    deinit {
        try? standardInput.fileHandleForWriting.close()
    }

    /// As root, a program runs as `postgres`: the server refuses to be root's.
    private static func process(_ arguments: [String]) -> Process {
        let process = Process()
        let prefix = getuid() == 0 ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"] : []
        let command = prefix + arguments
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.currentDirectoryURL = URL(fileURLWithPath: "/tmp")
        return process
    }

    private func run(_ program: String, _ arguments: [String]) throws {
        let process = Self.process(["\(Self.programs)/\(program)"] + arguments)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(text: "\(program) \(arguments) failed") }
    }

    func stop() throws { try ask("stop") }

    func start() throws { try ask("start") }

    /// The shell starts the server, so that waiting for a program of ours never waits for the server.
    private func ask(_ command: String) throws {
        try standardInput.fileHandleForWriting.write(contentsOf: Data("\(command)\n".utf8))
        let answer = try Self.line(from: standardOutput)
        guard answer == "done" else { throw Failure(text: "the server did not \(command)") }
    }

    /// The url of a database of the server.
    func url(_ database: String, host: String? = nil) -> String {
        let host = (host ?? folder).replacingOccurrences(of: "/", with: "%2F")
        return "postgres://postgres@/\(database)?host=\(host)&port=\(port)"
    }

    /// The name of a new, empty database.
    func newDatabase() throws -> String {
        let name = "test_\(names.wrappingAdd(1, ordering: .relaxed).newValue)"
        try run("createdb", ["-h", folder, "-p", String(port), "-U", "postgres", name])
        return name
    }

    /// Runs statements outside of any module.
    func psql(_ database: String, _ sql: String...) throws {
        try run("psql", ["-h", folder, "-p", String(port), "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1"] + sql.flatMap { ["-c", $0] })
    }

    /// A module over a new database, not open yet.
    func makeDatabase(_ fields: String = "", schema: String..., name: String = "main") throws -> PostgreSQLDatabase {
        let steps = schema.enumerated().map { "{\"id\": \"\($0.offset)\", \"sql\": \(JSONText.quoted($0.element))}" }
        return try TestHost().make(
            PostgreSQLDatabase.self,
            "{\"url\": \"\(url(try newDatabase()))\", \"schema\": [\(steps.joined(separator: ", "))]\(fields)}", name: name)
    }
}
