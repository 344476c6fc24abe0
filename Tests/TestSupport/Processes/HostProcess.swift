import Foundation
package import Glibc

/// `martlet run` in a folder, on ports that the system chooses.
///
/// The folder's config.json is written by the test; its `host.listen` and `host.admin_listen` are overridden.
package final class HostProcess {
    package let folder: TemporaryFolder
    /// The address of the configured paths, with the port in use.
    package private(set) var address = ""
    package private(set) var adminAddress = ""
    /// What requests to the admin listener carry; nil if it asks for none.
    package var adminToken: String?
    private let overrides: [String]
    private let environment: [String: String]
    private var process: ChildProcess
    private var logName: String

    /// Starts and waits until it serves.
    ///
    /// - Parameter config: written to the folder's config.json unless nil.
    package static func start(
        _ config: String? = nil, in folder: TemporaryFolder, set overrides: [String] = [], environment: [String: String] = [:]
    ) async throws -> HostProcess {
        if let config { try folder.write(config, to: "config.json") }
        let host = try HostProcess(in: folder, set: overrides, environment: environment)
        try await host.waitUntilServing()
        return host
    }

    /// Starts the process and does not wait for anything.
    package init(in folder: TemporaryFolder, set overrides: [String] = [], environment: [String: String] = [:]) throws {
        self.folder = folder
        self.overrides = ["host.listen=127.0.0.1:0", "host.admin_listen=127.0.0.1:0"] + overrides
        self.environment = environment
        logName = Self.newLog(in: folder)
        process = try Self.spawn(folder, self.overrides, environment, log: logName)
    }

    private static func newLog(in folder: TemporaryFolder) -> String {
        var number = 1
        while FileManager.default.fileExists(atPath: folder["host-\(number).log"]) { number += 1 }
        return "host-\(number).log"
    }

    private static func spawn(
        _ folder: TemporaryFolder, _ overrides: [String], _ environment: [String: String], log: String
    ) throws -> ChildProcess {
        try ChildProcess(
            ["run"] + overrides.flatMap { ["--set", $0] }, in: folder, output: "host.out", errors: log, environment: environment)
    }

    package var processID: pid_t { process.id }
    /// What it has written to standard error since its last start.
    package var log: String { folder.read(logName) }
    /// What it, and those before it in the folder, have written to standard output.
    package var output: String { folder.read("host.out") }

    /// Log lines that contain this text.
    package func logLines(containing text: String) -> [String] {
        log.split(separator: "\n").map(String.init).filter { $0.contains(text) }
    }

    package func waitUntilServing() async throws {
        let line = try await eventually("a host that serves; its log so far: \(log)") {
            if let code = process.ended { throw TestFailure("martlet ended with \(code): \(log)") }
            return logLines(containing: #""message":"serving""#).first
        }
        guard let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            let listen = fields["listen"] as? String, let admin = fields["admin"] as? String
        else { throw TestFailure("no addresses in \(line)") }
        address = listen
        adminAddress = admin
    }

    /// Waits until `/readyz` says yes.
    package func waitUntilReady() async throws {
        try await eventually("a ready host: \(log)") { try await admin("/readyz").status == 200 }
    }

    // MARK: Its end, and another start

    package func signal(_ number: Int32) {
        process.signal(number)
    }

    /// SIGTERM, and the exit code.
    @discardableResult
    package func stop() async throws -> Int32 {
        signal(SIGTERM)
        return try await waitForExit()
    }

    /// `kill -9`.
    package func kill() async throws {
        signal(SIGKILL)
        try await waitForExit()
    }

    /// The exit code; 128 and the signal's number if a signal ended it.
    @discardableResult
    package func waitForExit() async throws -> Int32 { try await process.waitForEnd() }

    package var hasExited: Bool { process.ended != nil }

    /// Starts it again in the same folder, on other ports, after it has ended.
    package func restart() async throws {
        logName = Self.newLog(in: folder)
        process = try Self.spawn(folder, overrides, environment, log: logName)
        try await waitUntilServing()
    }

    // MARK: Requests on connections of their own

    package func get(_ path: String) async throws -> HTTPAnswer {
        try await send("GET", path)
    }

    package func post(_ path: String, _ json: String, headers: [String] = []) async throws -> HTTPAnswer {
        try await send("POST", path, headers: ["Content-Type: application/json"] + headers, body: json)
    }

    package func admin(_ path: String) async throws -> HTTPAnswer {
        try await send("GET", path, to: adminAddress, headers: adminToken.map { ["Authorization: Bearer \($0)"] } ?? [])
    }

    /// - Parameter address: ``address`` if left out.
    package func send(
        _ method: String, _ path: String, to address: String? = nil, headers: [String] = [], body: String? = nil
    ) async throws -> HTTPAnswer {
        try await HTTPConnection.request(method, path, to: address ?? self.address, headers: headers, body: body)
    }
}
