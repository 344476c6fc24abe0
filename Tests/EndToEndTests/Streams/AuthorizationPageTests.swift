import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The config of the page on authorization, byte for byte.
    @Suite struct AuthorizationPageTests {
        @Test func theExampleRuns() async throws {
            let folder = try TemporaryFolder()
            let example = TestConfig.repository.appendingPathComponent("Sources/Pipelines/Pipelines.docc/authorization/config.json")
            try FileManager.default.copyItem(atPath: example.path, toPath: folder["config.json"])
            let host = try await HostProcess.start(
                in: folder,
                environment: [
                    "JWT_SECRET": TestToken.secret, "MARTLET_TICKET_SECRET": TestToken.secret + "!", "SHOP_API_KEY": "0123456789abcdef",
                ])
            try await host.waitUntilReady()
            let bob = "Authorization: Bearer \(try TestToken.of("bob", ["aud": "notifications"]))"
            let ann = "Authorization: Bearer \(try TestToken.of("ann", ["aud": "notifications"]))"
            let stream = StreamClient("/users/bob/stream", headers: [bob])
            try await stream.connect(to: host.address)
            let like = #"{"post_owner":"bob","actor":"somebody else"}"#
            #expect(try await host.post("/likes", like, headers: [ann]).status == 202)
            #expect(try await host.post("/likes", like, headers: ["X-API-Key: 0123456789abcdef"]).status == 202)
            #expect(try await stream.waitForMessages(2).map { $0.text("text") } == ["ann liked your post", "shop liked your post"])
            #expect(try await host.send("GET", "/users/bob/stream", headers: [ann]).status == 403)
            #expect(try await host.send("GET", "/users/bob/notifications", headers: [ann]).status == 403)
            try await eventually("two rows") {
                try await host.send("GET", "/users/bob/notifications", headers: [bob]).rows.count == 2
            }
            // A token that is for nobody in particular will not do: the verifier has an audience.
            #expect(try await host.post("/likes", like, headers: [TestToken.bearer("ann")]).status == 401)
            #expect(try await host.stop() == 0)
        }
    }
}
