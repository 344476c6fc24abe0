import Foundation
import Glibc

/// `martlet run` in a folder, on ports that the system chooses.
///
/// The folder's config.json is written by the test; its `host.listen` and `host.admin_listen` are overridden.
final class RunningHost {
    let folder: TestFolder
    /// The address of the configured paths, with the port in use.
    private(set) var address = ""
    private(set) var adminAddress = ""
    private var process: ChildProcess
    private let overrides: [String]
    private let environment: [String: String]
    private var starts = 1

    /// Starts and waits until it serves.
    ///
    /// - Parameter config: written to the folder's config.json unless nil.
    static func start(
        _ config: String? = nil, in folder: TestFolder, set overrides: [String] = [], environment: [String: String] = [:]
    ) async throws -> RunningHost {
        if let config { try folder.write(config, to: "config.json") }
        let host = try RunningHost(in: folder, overrides, environment)
        try await host.waitUntilServing()
        return host
    }

    private init(in folder: TestFolder, _ overrides: [String], _ environment: [String: String]) throws {
        self.folder = folder
        self.overrides = ["host.listen=127.0.0.1:0", "host.admin_listen=127.0.0.1:0"] + overrides
        self.environment = environment
        process = try Self.spawn(folder, self.overrides, environment, log: "host-1.log")
    }

    private static func spawn(
        _ folder: TestFolder, _ overrides: [String], _ environment: [String: String], log: String
    ) throws -> ChildProcess {
        try ChildProcess(
            ["run"] + overrides.flatMap { ["--set", $0] }, in: folder, output: "host.out", errors: log,
            environment: environment)
    }

    /// What it has written to standard error since its last start.
    var log: String { folder.read("host-\(starts).log") }
    /// What it has written to standard output.
    var output: String { folder.read("host.out") }

    private func waitUntilServing() async throws {
        let line = try await eventually("a host that serves: \(log)") {
            if let code = process.ended { throw TestFailure("martlet ended with \(code): \(log)") }
            return log.split(separator: "\n").first { $0.contains(#""message":"serving""#) }
        }
        guard let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            let listen = fields["listen"] as? String, let admin = fields["admin"] as? String
        else { throw TestFailure("no addresses in \(line)") }
        address = listen
        adminAddress = admin
    }

    /// Waits until `/readyz` says yes.
    func waitUntilReady() async throws {
        try await eventually("a ready host: \(log)") { try await request("GET", "/readyz").status == 200 ? true : nil }
    }

    // MARK: Its end, and another start

    func signal(_ number: Int32) {
        process.signal(number)
    }

    /// SIGTERM; the exit code.
    @discardableResult
    func stop() async throws -> Int32 {
        signal(SIGTERM)
        return try await process.waitForEnd()
    }

    /// `kill -9`.
    func kill() async throws {
        signal(SIGKILL)
        try await process.waitForEnd()
    }

    /// Starts it again in the same folder, on other ports, after it has ended.
    func restart() async throws {
        starts += 1
        process = try Self.spawn(folder, overrides, environment, log: "host-\(starts).log")
        try await waitUntilServing()
    }

    // MARK: Talking to it

    /// Runs a command of `martlet` against this host.
    func run(_ arguments: String..., input: String? = nil, environment: [String: String] = [:]) async throws -> CommandRun {
        try await CommandRun(arguments + ["--admin", adminAddress], in: folder, input: input, environment: environment)
    }

    /// A request to the admin listener.
    func request(
        _ method: String, _ path: String, type: String? = nil, body: String? = nil, token: String? = nil
    ) async throws -> (status: Int, headers: [String: String], body: String) {
        guard let url = URL(string: "http://\(adminAddress)\(path)") else { throw TestFailure("no URL: \(path)") }
        var arguments = ["-sS", "-i", "-X", method, url.absoluteString]
        if let type { arguments += ["-H", "Content-Type: \(type)"] }
        if let token { arguments += ["-H", "Authorization: Bearer \(token)"] }
        if let body { arguments += ["--data-binary", body] }
        return try await Self.curl(arguments)
    }

    private static func curl(_ arguments: [String]) async throws -> (status: Int, headers: [String: String], body: String) {
        let text = try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<String, any Error>) in
            Thread.detachNewThread {
                continuation.resume(with: Result {
                    let process = Process()
                    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
                    process.arguments = ["curl"] + arguments
                    let pipe = Pipe()
                    process.standardOutput = pipe
                    process.standardError = pipe
                    try process.run()
                    let data = pipe.fileHandleForReading.readDataToEndOfFile()
                    process.waitUntilExit()
                    return String(decoding: data, as: UTF8.self)
                })
            }
        }
        let parts = text.components(separatedBy: "\r\n\r\n")
        let head = parts[0].components(separatedBy: "\r\n")
        guard head[0].hasPrefix("HTTP/"), let status = Int(head[0].split(separator: " ")[1]) else { throw TestFailure(text) }
        var headers: [String: String] = [:]
        for line in head.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
            if pair.count == 2 { headers[pair[0].lowercased()] = pair[1] }
        }
        return (status, headers, parts.dropFirst().joined(separator: "\r\n\r\n"))
    }
}
