import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Chromium's `EventSource`, against the fixtures of the web-platform-tests and against a host.
    @Suite struct BrowserTests {
        private struct Outcome: Decodable {
            let name: String
            let problem: String?
        }

        @Test func chromiumReadsOurStreams() async throws {
            let folder = try TemporaryFolder()
            let hostPort = try FreePort.take()
            let fixtures = try FixtureServer(page: BrowserPage.text(host: "http://127.0.0.1:\(hostPort)"))
            var config = try TestConfig.shipped()
            config.set("auth", to: ["users": ["type": "jwt", "secret": TestToken.secret, "cookie": "session"]])
            config.set("host", "cors", to: ["origins": [fixtures.origin]])
            config.set("sources", "likes", "auth", to: "users")
            config.set("channels", "notification-stream", "auth", to: "users")
            config.set("channels", "notification-stream", "match", "claim", to: "sub")
            config.set("channels", "notification-stream", "retry_ms", to: 200)
            config.set("queries", "notification-list", "auth", to: "users")
            try config.write(to: folder)
            let overrides = ["host.listen=127.0.0.1:\(hostPort)"]
            var host = try await HostProcess.start(in: folder, set: overrides)
            try await host.waitUntilReady()

            let browser = try Browser(at: fixtures.origin + "/")
            defer { browser.quit() }
            fixtures.tell("token", try TestToken.of("bob"))
            try await eventually("the browser's first event; \(host.log)") { fixtures.posted("first") ?? fixtures.posted("results") }
            // While the browser's stream is gone it misses two.
            _ = try await host.stop()
            host = try await HostProcess.start(in: folder, set: overrides)
            try await host.waitUntilReady()
            for actor in ["bea", "cid"] {
                #expect(try await host.post("/likes", Like(actor, of: "bob").json, headers: [TestToken.bearer(actor)]).status == 201)
            }
            fixtures.tell("restarted", "yes")

            let text = try await eventually("the results of the page") { fixtures.posted("results") }
            let outcomes = try JSONDecoder().decode([Outcome].self, from: Data(text.utf8))
            #expect(outcomes.count == 34)
            for outcome in outcomes { #expect(outcome.problem == nil, "\(outcome.name): \(outcome.problem ?? "")") }
            browser.quit()
            _ = try await host.stop()
            await fixtures.stop()
        }
    }
}
