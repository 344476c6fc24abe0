import CLinux

/// A redis-server of a measurement's own, on loopback.
final class RedisProcess {
    let port = clinux_free_port()
    private let process: ChildProcess

    /// - Parameters:
    ///   - settings: further options, such as `--appendonly yes`.
    ///   - folder: where it keeps its data.
    /// - Returns: nil if Redis is not installed.
    init?(_ settings: [String], in folder: TemporaryFolder) throws(BenchmarkError) {
        guard let program = ChildProcess.find("redis-server") else { return nil }
        process = try ChildProcess(
            program,
            ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder.path, "--save", "", "--daemonize", "no"] + settings,
            output: folder.path + "/redis.log")
        let _: Bool = try process.waitForOutput(atMost: 10, "redis-server does not accept connections") { output in
            output.contains("Ready to accept connections") ? true : nil
        }
    }

    var url: String { "redis://127.0.0.1:\(port)" }

    func stop() {
        process.stop()
    }
}
