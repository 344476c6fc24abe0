import Foundation
import Glibc
import TestSupport
import Testing

extension EndToEnd {
    /// What a host makes of requests that come through a proxy on the same machine, and of changes to `host` at a reload.
    @Suite struct ProxyTests {
        private func connect(_ user: String, _ host: HostProcess, _ headers: String...) async throws -> StreamClient {
            let client = try await host.openStream(of: user, headers: headers)
            return client
        }

        private func status(_ host: HostProcess, _ headers: String...) async throws -> Int {
            try await host.send("GET", HostProcess.streamPath(of: "eve"), headers: ["Accept: text/event-stream"] + headers).status
        }

        private func reload(_ config: TestConfig, _ host: HostProcess, in folder: TemporaryFolder) async throws {
            let before = host.logLines(containing: "config reloaded").count
            try config.write(to: folder)
            host.signal(SIGHUP)
            try await eventually("the reload") { host.logLines(containing: "config reloaded").count > before }
        }

        @Test func limitsCountTheClientsBehindATrustedProxy() async throws {
            let folder = try TemporaryFolder()
            var config = try TestConfig.shipped()
            config.set("channels", "notification-stream", "max_connections_per_address", to: 1)
            try config.write(to: folder)
            let host = try await HostProcess.start(in: folder)
            try await host.waitUntilReady()

            // Nobody is trusted: all come from one address, whatever they write.
            let first = try await connect("bob", host, "X-Forwarded-For: 203.0.113.1")
            #expect(try await status(host, "X-Forwarded-For: 203.0.113.2") == 429)
            try await first.disconnect()

            config.set("host", "trusted_proxies", to: ["127.0.0.1"])
            try await reload(config, host, in: folder)
            #expect(host.logLines(containing: "`host.trusted_proxies` has changed, and is in force").count == 1)
            let bob = try await connect("bob", host, "X-Forwarded-For: 203.0.113.1")
            let dan = try await connect("dan", host, "X-Forwarded-For: 1.2.3.4, 203.0.113.2")
            #expect(try await status(host, "X-Forwarded-For: 1.2.3.4, 203.0.113.1") == 429)
            #expect(try await status(host, "X-Forwarded-For: 203.0.113.2:99") == 429)
            let metrics = try await host.admin("/metrics").body
            #expect(metrics.contains(#"martlet_sse_refused_total{channel="notification-stream",limit="address"} 3"#), "\(metrics)")
            try await bob.disconnect()
            try await dan.disconnect()
            #expect(try await host.stop() == 0)
        }

        @Test func pagesThatAReloadAllowsMayComeAtOnce() async throws {
            let folder = try TemporaryFolder()
            var config = try TestConfig.shipped()
            try config.write(to: folder)
            let host = try await HostProcess.start(in: folder)
            let page = ["Origin: https://app.example.com"]
            let path = "/users/bob/notifications"
            #expect(try await host.send("GET", path, headers: page).headers["access-control-allow-origin"] == nil)

            config.set("host", "cors", to: ["origins": ["https://app.example.com"]])
            config.set("host", "idle_timeout_seconds", to: 33)
            try await reload(config, host, in: folder)
            #expect(try await host.send("GET", path, headers: page).headers["access-control-allow-origin"] == "https://app.example.com")
            #expect(host.logLines(containing: "`host.cors` has changed, and is in force").count == 1)
            #expect(host.logLines(containing: "next start").count == 1)
            #expect(host.logLines(containing: "`host.idle_timeout_seconds` has changed since the host started").count == 1)

            // What is in force is told once; what waits, each time.
            try await reload(config, host, in: folder)
            #expect(host.logLines(containing: "in force").count == 1)
            #expect(host.logLines(containing: "next start").count == 2)
            #expect(try await host.stop() == 0)
        }
    }
}
