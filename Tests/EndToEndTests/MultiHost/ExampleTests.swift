import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The configs of the page on several hosts, byte for byte.
    @Suite struct ExampleTests {
        private static let examples = TestConfig.repository
            .appendingPathComponent("Sources/Pipelines/Pipelines.docc/several-hosts").path

        @Test func theExampleRuns() async throws {
            let server = try Server.postgreSQL()
            let adminPort = try FreePort.take()
            let busPort = try FreePort.take()
            let environment = [
                "DATABASE_URL": server.address, "MARTLET_ADMIN_TOKEN": Cluster.token, "MARTLET_BUS_PASSWORD": "a-password",
                "MARTLET_BUS_LISTEN": "127.0.0.1:\(busPort)", "MARTLET_BUS_URL": "redis://127.0.0.1:\(busPort)",
                "MARTLET_LOG_URL": "http://127.0.0.1:\(adminPort)",
            ]
            var folders: [TemporaryFolder] = []
            var hosts: [HostProcess] = []
            for name in ["log-host", "host-b", "host-c"] {
                let folder = try TemporaryFolder()
                try FileManager.default.copyItem(atPath: Self.examples + "/\(name).json", toPath: folder["config.json"])
                let check = try await Cluster.command(["validate"], in: folder, environment: environment)
                #expect(check.code == 0, "\(check.output)")
                let overrides = name == "log-host" ? ["host.admin_listen=127.0.0.1:\(adminPort)"] : []
                hosts.append(try await HostProcess.start(in: folder, set: overrides, environment: environment))
                folders.append(folder)
            }
            for host in hosts { try await host.waitUntilReady() }

            // Liked on B, stored by the log host, pushed and listed on C, which has no sources.
            let stream = try await hosts[2].openStream(of: "bob")
            #expect(try await hosts[1].like(Like("ann", of: "bob")).status == 201)
            #expect(try await stream.waitForMessages(1).first?.text("text") == "ann liked your post")
            try await eventually("a row in the list") { try await hosts[2].notifications(of: "bob").count == 1 }
            #expect(try await hosts[2].like(Like("ann", of: "bob")).status == 404)
            for host in hosts.reversed() { #expect(try await host.stop() == 0) }
        }

        @Test func theExampleWithKafkaRuns() async throws {
            let (server, redis, kafka) = (try Server.postgreSQL(), try Server.redis(), try await TansuBroker())
            try redis.run("redis-cli -u \(redis.address) config set requirepass a-password")
            let environment = kafka.environment.merging([
                "DATABASE_URL": server.address, "MARTLET_BUS_URL": redis.address, "MARTLET_BUS_PASSWORD": "a-password",
                "KAFKA_SERVER": kafka.address,
            ]) { $1 }
            var hosts: [HostProcess] = []
            for _ in 0..<2 {
                let folder = try TemporaryFolder()
                try FileManager.default.copyItem(atPath: Self.examples + "/kafka-host.json", toPath: folder["config.json"])
                let check = try await Cluster.command(["validate"], in: folder, environment: environment)
                #expect(check.code == 0, "\(check.output)")
                hosts.append(try await HostProcess.start(in: folder, environment: environment))
            }
            for host in hosts { try await host.waitUntilReady() }
            let stream = try await hosts[1].openStream(of: "bob")
            #expect(try await hosts[0].like(Like("ann", of: "bob")).status == 201)
            #expect(try await stream.waitForMessages(1).first?.text("text") == "ann liked your post")
            try await eventually("a row in the list") { try await hosts[1].notifications(of: "bob").count == 1 }
            for host in hosts.reversed() { #expect(try await host.stop() == 0) }
        }
    }
}
