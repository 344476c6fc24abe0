import CLinux

/// A Martlet host of this same program, in a folder of its own, on ports that the system chose.
final class HostProcess {
    /// The port of the configured paths.
    let port: UInt16
    let adminPort: UInt16
    /// From the start of the process until it served.
    let startSeconds: Double
    let process: ChildProcess
    /// The folder of the log.
    let dataDirectory: String

    /// Starts it and waits until it serves and `/readyz` agrees.
    init(config: String, in folder: TemporaryFolder) throws(BenchmarkError) {
        let file = try folder.write(config, as: "config.json")
        dataDirectory = folder.path + "/data"
        let started = MonotonicClock.now
        process = try ChildProcess(
            ChildProcess.ownProgram,
            [
                "run", "--config", file, "--set", "host.listen=127.0.0.1:0", "--set", "host.admin_listen=127.0.0.1:0",
                "--set", "host.log_format=json",
            ], output: folder.path + "/host.log")
        let (port, adminPort) = try process.waitForOutput(atMost: 60, "the host does not serve") { output in
            Self.ports(in: output)
        }
        self.port = port
        self.adminPort = adminPort
        startSeconds = Double(MonotonicClock.now - started) / 1e9
        var last = 0
        let isReady = MonotonicClock.wait(atMost: 30) {
            last = HTTPProbe.status(port: adminPort, path: "/readyz")
            return last == 200
        }
        guard isReady else { throw BenchmarkError("the host is not ready after 30 s: /readyz answers \(last); \(process.output)") }
    }

    /// The ports in the line that says that the host serves.
    private static func ports(in output: String) -> (UInt16, UInt16)? {
        for line in output.split(separator: "\n") where line.contains("\"message\":\"serving\"") {
            guard let port = Self.port("listen", in: line), let admin = Self.port("admin", in: line) else { return nil }
            return (port, admin)
        }
        return nil
    }

    private static func port(_ name: String, in line: Substring) -> UInt16? {
        let marker = "\"\(name)\":\"127.0.0.1:"
        let parts = line.split(separator: "\"")
        // `"listen":"127.0.0.1:8080"` splits into listen, a colon, and the address.
        guard line.contains(marker), let index = parts.firstIndex(of: Substring(name)), index + 2 < parts.count else { return nil }
        return parts[index + 2].split(separator: ":").last.flatMap { UInt16($0) }
    }

    /// Ends it cleanly.
    func stop() {
        process.stop()
    }
}
