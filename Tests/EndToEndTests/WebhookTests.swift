import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The config of the page on webhooks, run by a whole host.
    @Suite struct WebhookTests {
        private static let example = TestConfig.repository
            .appendingPathComponent("Sources/Pipelines/Pipelines.docc/webhooks/config.json").path

        /// The example, with loopback allowed, since the partner of the test lives there.
        private func folder() throws -> TemporaryFolder {
            let folder = try TemporaryFolder()
            let text = try String(contentsOfFile: Self.example, encoding: .utf8)
            try text.replacingOccurrences(of: #""type": "webhook","#, with: #""type": "webhook", "allow_addresses": ["127.0.0.1"],"#)
                .write(toFile: folder["config.json"], atomically: true, encoding: .utf8)
            return folder
        }

        private func environment(_ server: ScriptedServer) -> [String: String] {
            [
                "PARTNER_URL": "http://127.0.0.1:\(server.port)/hooks",
                "PARTNER_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            ]
        }

        @Test func theExampleRuns() async throws {
            let server = ScriptedServer { _ in .status(204) }
            defer { server.close() }
            let folder = try folder()
            let host = try await HostProcess.start(in: folder, environment: environment(server))
            try await host.waitUntilReady()
            #expect(try await host.like(Like("ann", of: "bob")).status == 201)
            #expect(try await host.like(Like("bob", of: "bob")).status == 201)
            #expect(try await host.like(Like("eve", of: "bob")).status == 201)
            try await eventually("two hooks") { server.requests.count == 2 }
            #expect(server.requests.map(\.body).allSatisfy { $0.contains(#""recipient":"bob""#) })
            let endpoints = try await host.admin("/v1/channels/notification-hooks/endpoints")
            #expect(endpoints.status == 200 && endpoints.body.contains("partner") && !endpoints.body.contains("MfKQ9r8"))
            #expect(!host.log.contains("MfKQ9r8"))
            #expect(try await host.stop() == 0)
            withExtendedLifetime(folder) {}
        }

        /// Each like arrives, its first arrivals in the order of its key, and repeats have the same id.
        @Test func killedInTheMiddleOfDelivering() async throws {
            let server = ScriptedServer(pause: .milliseconds(3)) { _ in .status(204) }
            defer { server.close() }
            let folder = try folder()
            let count = 300
            var host = try await HostProcess.start(in: folder, environment: environment(server))
            try await host.waitUntilReady()
            for number in 0..<count { #expect(try await host.like(Like("actor-\(number)", of: "owner-\(number % 5)")).status == 201) }
            for round in 1...4 {
                try await eventually("some hooks") { server.requests.count >= round * 50 }
                try await host.kill()
                host = try await HostProcess.start(in: folder, environment: environment(server))
            }
            func actors() -> [String] {
                server.requests.compactMap { hook in
                    ((try? JSONSerialization.jsonObject(with: Data(hook.body.utf8))) as? [String: Any])?["actor"] as? String
                }
            }
            try await eventually("all hooks") { Set(actors()).count == count }
            #expect(try await host.stop() == 0)
            var ids: [String: Set<String>] = [:]
            for hook in server.requests { ids[hook.body, default: []].insert(hook.webhookID) }
            #expect(ids.count == count && ids.values.allSatisfy { $0.count == 1 })
            var seen: Set<String> = []
            let first = actors().filter { seen.insert($0).inserted }.compactMap { Int($0.dropFirst("actor-".count)) }
            for owner in 0..<5 {
                let numbers = first.filter { $0 % 5 == owner }
                #expect(numbers == numbers.sorted(), "owner \(owner)")
            }
        }
    }
}
