import Foundation
import Glibc

/// The built `martlet` binary, running in a folder of its own.
final class HostProcess {
    /// Next to the test's own executable.
    static let binary = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("martlet").path

    /// The address of the configured paths.
    private(set) var address = ""
    private(set) var adminAddress = ""
    /// What requests to the admin listener carry; nil if it asks for none.
    var adminToken: String?
    /// The process.
    var processID: pid_t { pid }
    private let pid: pid_t
    private let logPath: String
    private var exitStatus: Int32?

    /// Starts `martlet run` with the folder's config.json and waits until it serves.
    static func start(
        in folder: TestFolder, set overrides: [String] = [], environment: [String: String] = [:]
    ) async throws -> HostProcess {
        let process = try HostProcess(in: folder, set: overrides, environment: environment)
        try await process.waitUntilServing()
        return process
    }

    /// Starts the process and does not wait for anything.
    init(in folder: TestFolder, set overrides: [String] = [], environment: [String: String] = [:]) throws {
        var logNumber = 1
        while FileManager.default.fileExists(atPath: folder["host-\(logNumber).log"]) { logNumber += 1 }
        logPath = folder["host-\(logNumber).log"]
        let freePorts = ["host.listen=127.0.0.1:0", "host.admin_listen=127.0.0.1:0"]
        let arguments = ["run"] + (freePorts + overrides).flatMap { ["--set", $0] }
        pid = try Self.spawn(Self.binary, arguments, in: folder.path, log: logPath, environment)
    }

    deinit {
        guard exitStatus == nil else { return }
        Glibc.kill(pid, SIGKILL)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
    }

    /// What the host has written to standard error.
    var log: String { (try? String(contentsOfFile: logPath, encoding: .utf8)) ?? "" }

    /// Log lines with this message, or one that contains it.
    func logLines(containing text: String) -> [String] {
        log.split(separator: "\n").map(String.init).filter { $0.contains(text) }
    }

    func waitUntilServing() async throws {
        let line = try await eventually("a host that serves; its log so far: \(log)") {
            if hasExited { throw TestFailure("martlet ended with \(exitStatus ?? -1): \(log)") }
            return logLines(containing: #""message":"serving""#).first
        }
        guard let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            let listen = fields["listen"] as? String, let admin = fields["admin"] as? String
        else { throw TestFailure("no addresses in \(line)") }
        address = listen
        adminAddress = admin
    }

    /// Waits until `/readyz` says yes.
    func waitUntilReady() async throws {
        try await eventually("a ready host: \(log)") { try await self.admin("/readyz").status == 200 }
    }

    func signal(_ number: Int32) {
        Glibc.kill(pid, number)
    }

    /// SIGTERM, and the exit code.
    @discardableResult
    func stop() async throws -> Int32 {
        signal(SIGTERM)
        return try await waitForExit()
    }

    /// `kill -9`.
    func kill() async throws {
        signal(SIGKILL)
        try await waitForExit()
    }

    /// The exit code; 128 and the signal's number if a signal ended it.
    @discardableResult
    func waitForExit() async throws -> Int32 {
        try await eventually("the end of the host") { hasExited ? exitStatus : nil }
    }

    var hasExited: Bool {
        if exitStatus != nil { return true }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return false }
        exitStatus = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        return true
    }

    // MARK: Requests on connections of their own

    func get(_ path: String) async throws -> HTTPAnswer {
        try await send("GET", path, to: address)
    }

    func admin(_ path: String) async throws -> HTTPAnswer {
        try await send("GET", path, to: adminAddress, headers: adminToken.map { ["Authorization: Bearer \($0)"] } ?? [])
    }

    func post(_ path: String, _ json: String, headers: [String] = []) async throws -> HTTPAnswer {
        try await send("POST", path, to: address, headers: ["Content-Type: application/json"] + headers, body: json)
    }

    func send(
        _ method: String, _ path: String, to address: String? = nil, headers: [String] = [], body: String? = nil
    ) async throws -> HTTPAnswer {
        let address = address ?? self.address
        return try await onThread {
            let connection = try HTTPConnection(address)
            defer { connection.close() }
            return try connection.request(method, path, headers: headers, body: body)
        }
    }

    // MARK: Starting

    private static func spawn(
        _ binary: String, _ arguments: [String], in folder: String, log: String, _ environment: [String: String]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test runner's threads may block signals; the host must get its own.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        var pid: pid_t = 0
        // The shell closes what the test process has open (a socket that the host held too would never end), changes the
        // folder and becomes the host, under the same process id.
        let script = #"for file in /proc/self/fd/*; do [ ${file##*/} -gt 2 ] && eval "exec ${file##*/}>&-"; done; cd "$0" && exec "$@""#
        let shell = ["bash", "-c", script, folder, binary] + arguments
        let code = withCStrings(shell) { arguments in
            withCStrings(variables) { posix_spawn(&pid, "/bin/bash", &actions, &attributes, arguments, $0) }
        }
        guard code == 0 else { throw TestFailure("cannot start \(binary): \(String(cString: strerror(code)))") }
        return pid
    }

    private static func withCStrings<Value>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
    ) -> Value {
        let copies = strings.map { strdup($0) } + [nil]
        defer { for copy in copies { free(copy) } }
        return body(copies)
    }
}
