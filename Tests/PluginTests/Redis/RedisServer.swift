import Foundation
import Synchronization
import TestSupport
import Testing

/// A redis-server of a test's own, on a free port, in a temporary folder. It ends with its owner.
final class RedisServer: Sendable {
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    let port: Int
    private let folder: TemporaryFolder
    private let settings: [String]
    private let process = Mutex<Process?>(nil)

    /// - Parameter settings: lines of redis.conf, such as `requirepass secret`.
    init(_ settings: [String] = []) throws {
        folder = try TemporaryFolder()
        port = try FreePort.take()
        self.settings = settings
        try start()
    }

    deinit {
        stop()
    }

    var url: String { "redis://127.0.0.1:\(port)" }

    /// Starts it, again after ``stop()``, on the same port. Returns when it answers.
    func start() throws {
        let executable = try Self.path(of: "redis-server")
        let lines = ["bind 127.0.0.1", "port \(port)", "dir \(folder.path)", "save \"\"", "appendonly no"] + settings
        let file = folder.path + "/redis.conf"
        try lines.joined(separator: "\n").write(toFile: file, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = [file]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        self.process.withLock { $0 = process }
        var text = ""
        while !text.contains("Ready to accept connections") {
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw Missing(description: "redis-server ended at once: \(text)") }
            text += String(decoding: data, as: UTF8.self)
        }
        // It goes on writing, and must not be held up.
        output.fileHandleForReading.readabilityHandler = { handle in if handle.availableData.isEmpty { handle.readabilityHandler = nil } }
    }

    /// Kills it.
    func stop() {
        let process = process.withLock { process in
            defer { process = nil }
            return process
        }
        guard let process else { return }
        kill(process.processIdentifier, SIGCONT)
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// Holds it still, as a machine that has gone away.
    func freeze() {
        signal(SIGSTOP)
    }

    func thaw() {
        signal(SIGCONT)
    }

    private func signal(_ number: CInt) {
        process.withLock { process in
            if let process { _ = kill(process.processIdentifier, number) }
        }
    }

    /// Runs redis-cli against it and returns what it prints.
    @discardableResult
    func cli(_ arguments: String...) throws -> String {
        try Self.cli(port: port, arguments)
    }

    /// Runs redis-cli against whatever listens there and returns what it prints.
    static func cli(port: Int, _ arguments: [String]) throws -> String {
        try Program.run(path(of: "redis-cli"), ["-p", String(port)] + arguments).output.trimmingCharacters(in: .newlines)
    }

    static func path(of tool: String) throws -> String {
        let found = ["/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/"].map { $0 + tool }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
        guard let found else {
            throw Missing(description: "these tests need `\(tool)`: run scripts/install test, or apt-get install redis-server redis-tools")
        }
        return found
    }
}
