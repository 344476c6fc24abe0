import Foundation
import TestSupport

/// A real server that a test starts in a folder of its own and that ends with its owner, or with the test process: a shell
/// watches over it.
final class Server {
    private let keeper = Process()
    private let input = Pipe()
    private let output = Pipe()
    private let url: String

    /// - Parameters:
    ///   - script: starts the server in `$folder` and prints one line, the server's url; `stop` is a function that ends it.
    ///   - user: who runs it when the tests run as root.
    private init(_ script: String, user: String? = nil) throws {
        let whole = """
            set -e
            folder=$(mktemp -d /tmp/martlet-e2e-server-XXXXXX)
            \(script)
            while read -r command; do if eval "$command"; then echo done; else echo failed; fi; done
            stop || true
            rm -rf "$folder"
            """
        let prefix = user.map { getuid() == 0 ? ["setpriv", "--reuid=\($0)", "--regid=\($0)", "--init-groups"] : [] } ?? []
        keeper.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        keeper.arguments = prefix + ["/bin/sh", "-c", whole]
        keeper.currentDirectoryURL = URL(fileURLWithPath: "/tmp")
        keeper.standardInput = input
        keeper.standardOutput = output
        keeper.standardError = FileHandle.nullDevice
        try keeper.run()
        url = try Self.line(output)
        guard !url.isEmpty else { throw TestFailure("the server did not start; scripts/install test installs what the tests need") }
    }

    deinit {
        try? input.fileHandleForWriting.close()
        keeper.waitUntilExit()
    }

    /// What a config names.
    var address: String { url }

    /// Stops the server, without a word to its clients.
    func stop() throws { try ask("stop") }

    /// Starts it again at the same place.
    func start() throws { try ask("start") }

    /// Runs a line of the shell where the server runs, as the user that it runs as; `$folder` is its folder, and for PostgreSQL
    /// `$programs` that of its programs.
    func run(_ line: String) throws { try ask("{ \(line) ; } </dev/null >>\"$folder/shell.log\" 2>&1") }

    private func ask(_ command: String) throws {
        try input.fileHandleForWriting.write(contentsOf: Data("\(command)\n".utf8))
        let answer = try Self.line(output)
        guard answer == "done" else { throw TestFailure("the server did not \(command): \(answer)") }
    }

    private static func line(_ pipe: Pipe) throws -> String {
        var line = Data()
        while let byte = try pipe.fileHandleForReading.read(upToCount: 1), !byte.isEmpty, byte != Data("\n".utf8) { line += byte }
        return String(decoding: line, as: UTF8.self)
    }

    static func redis() throws -> Server {
        let port = try FreePort.take()
        return try Server(
            """
            start() {
              redis-server --bind 127.0.0.1 --port \(port) --dir "$folder" --save '' --daemonize yes --pidfile "$folder/pid" >/dev/null
              while ! redis-cli -p \(port) ping >/dev/null 2>&1; do sleep 0.05; done
            }
            stop() { kill -9 "$(cat "$folder/pid")"; while kill -0 "$(cat "$folder/pid")" 2>/dev/null; do sleep 0.02; done; }
            start
            echo redis://127.0.0.1:\(port)
            """)
    }

    /// - Parameters:
    ///   - port: where it also listens on loopback; by default only on a socket in its folder.
    ///   - settings: further lines of postgresql.conf.
    static func postgreSQL(port: Int? = nil, settings: String = "") throws -> Server {
        try Server(
            """
            programs=$(ls -d /usr/lib/postgresql/*/bin | tail -1)
            "$programs/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C -N >"$folder/log" 2>&1
            cat >>"$folder/data/postgresql.conf" <<END
            listen_addresses = '\(port == nil ? "" : "127.0.0.1")'
            port = \(port ?? 5432)
            unix_socket_directories = '$folder'
            fsync = off
            \(settings)
            END
            start() { "$programs/pg_ctl" -D "$folder/data" -l "$folder/log" -w start </dev/null >/dev/null 2>&1; }
            stop() { "$programs/pg_ctl" -D "$folder/data" -m immediate -w stop </dev/null >/dev/null 2>&1; }
            start
            "$programs/createdb" -h "$folder" -p \(port ?? 5432) -U postgres main
            echo "postgres://postgres@/main?host=$(echo "$folder" | sed 's|/|%2F|g')&port=\(port ?? 5432)"
            """, user: "postgres")
    }
}
