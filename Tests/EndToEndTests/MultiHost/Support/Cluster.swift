import Foundation
import TestSupport

/// Hosts of one platform: the first has the log and runs the groups; the others hold connections and serve sources and
/// queries. With Kafka none is special. The shipped config, with other blocks `log`, `pubsub.bus` and `databases.main`.
final class Cluster {
    /// What the hosts share.
    enum Backend: String, CaseIterable {
        /// Nothing installed: the first host's memory bus listens for the others; each has a database of its own.
        case plain
        /// One Redis, one PostgreSQL.
        case servers
        /// The same, and the log in brokers that speak Kafka's protocol: the hosts divide the groups among them.
        case kafka
    }

    static let token = "a-token-for-tests"

    let folders: [TemporaryFolder]
    /// By number; nil while it does not run.
    private(set) var hosts: [HostProcess?]
    let redis: Server?
    let postgreSQL: Server?
    let kafka: MockKafka?
    private let adminPort: Int
    private let busPort: Int

    /// - Parameters:
    ///   - postgreSQL: the server to use, instead of one of the cluster's own.
    ///   - edit: changes the config of one host.
    init(
        _ count: Int, _ backend: Backend, postgreSQL given: Server? = nil, edit: (Int, inout TestConfig) -> Void = { _, _ in }
    ) throws {
        kafka = backend == .kafka ? try MockKafka() : nil
        adminPort = try FreePort.take()
        busPort = try FreePort.take()
        kafka?.make("notifications", partitions: 4)
        kafka?.make("notifications.dead-letters", partitions: 1)
        redis = backend == .plain ? nil : try .redis()
        postgreSQL = try given ?? (backend == .plain ? nil : .postgreSQL())
        folders = try (0..<count).map { _ in try TemporaryFolder() }
        hosts = Array(repeating: nil, count: count)
        for number in 0..<count {
            var config = try TestConfig.shipped()
            if number == 0 { config.set("host", "admin_token", to: Self.token) }
            if let kafka {
                let log: [String: Any] = [
                    "type": "kafka", "bootstrap_servers": kafka.servers, "fetch_wait_ms": 10, "session_timeout_ms": 6_000,
                ]
                config.set("log", to: log)
            } else if number > 0 {
                config.set("log", to: ["type": "remote", "url": "http://127.0.0.1:\(adminPort)", "token": Self.token])
            }
            if let redis {
                config.set("pubsub", "bus", to: ["type": "redis", "url": redis.address])
            } else if number == 0 {
                config.set("pubsub", "bus", to: ["type": "memory", "listen": "127.0.0.1:\(busPort)"])
            } else {
                config.set("pubsub", "bus", to: ["type": "redis", "url": "redis://127.0.0.1:\(busPort)"])
            }
            if let postgreSQL {
                config.set("databases", "main", "type", to: "postgres")
                config.set("databases", "main", "url", to: postgreSQL.address)
                config.set("databases", "main", "path", to: nil)
            }
            edit(number, &config)
            try config.write(to: folders[number])
        }
    }

    /// A host that runs.
    subscript(_ number: Int) -> HostProcess {
        guard let host = hosts[number] else { preconditionFailure("host \(number) does not run") }
        return host
    }

    /// Starts one host and waits until it serves.
    func start(_ number: Int) async throws {
        hosts[number] = try await HostProcess.start(
            in: folders[number], set: number == 0 ? ["host.admin_listen=127.0.0.1:\(adminPort)"] : [])
        if number == 0 { hosts[number]?.adminToken = Self.token }
    }

    /// Starts all hosts and waits until they are ready.
    func start() async throws {
        for number in hosts.indices { try await start(number) }
        for number in hosts.indices { try await self[number].waitUntilReady() }
    }

    func kill(_ number: Int) async throws {
        try await self[number].kill()
        hosts[number] = nil
    }

    func stop(_ number: Int) async throws {
        try await self[number].stop()
        hosts[number] = nil
    }

    /// Runs another command of the binary and returns its exit code and what it printed.
    static func command(_ arguments: [String], in folder: TemporaryFolder, environment: [String: String] = [:]) async throws -> (
        code: Int32, output: String
    ) {
        let path = folder.path
        return try await onThread { try Program.run(ChildProcess.binary, arguments, in: path, environment: environment) }
    }
}
