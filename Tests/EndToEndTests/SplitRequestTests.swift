import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// Requests of which a source's transforms make several events.
    @Suite struct SplitRequestTests {
        private static let body = #"{"likes":[{"actor":"ann","post_id":1,"post_owner":"bob"},{"actor":"eve","post_id":1,"post_owner":"bob"}]}"#

        /// - Parameter program: makes likes of a request's body, and need not make the same again.
        private func start(_ program: String, in folder: TemporaryFolder) async throws -> HostProcess {
            var config = try TestConfig.shipped()
            config.set("sources", "batches", to: [
                "type": "http", "path": "/batches", "transforms": [["type": "jq", "program": program]],
                "save": [
                    "database": "main", "sql": "INSERT INTO likes(post_id, actor) VALUES (:post_id, :actor) ON CONFLICT DO NOTHING",
                    "parameters": ["post_id": "${/post_id}", "actor": "${/actor}"],
                ] as [String: Any],
                "publish": ["topic": "notifications", "key": "${/post_owner}"],
            ] as [String: Any])
            try config.write(to: folder)
            let host = try await HostProcess.start(in: folder)
            try await host.waitUntilReady()
            return host
        }

        private func post(_ body: String, to host: HostProcess) async throws -> HTTPAnswer {
            try await host.send("POST", "/batches", headers: ["Content-Type: application/json", "Idempotency-Key: k"], body: body)
        }

        /// The parts of a request are no repetitions of each other.
        @Test(arguments: [".likes[]", ".likes[] | .at = now"]) func aRepeatedOneIsSafe(program: String) async throws {
            let folder = try TemporaryFolder()
            let host = try await start(program, in: folder)
            let first = try await post(Self.body, to: host)
            #expect(first.status == 201, "\(first.body)")
            let second = try await post(Self.body, to: host)
            #expect(second.status == 201 && second.body == first.body, "\(second.body)")
            let other = try await post(Self.body.replacingOccurrences(of: "eve", with: "joe"), to: host)
            #expect(other.status == 422, "\(other.body)")
            #expect(try await host.stop() == 0)
            #expect(try SQLiteFile(path: folder["data/main.db"]).rows("SELECT actor FROM likes ORDER BY actor") == [["ann"], ["eve"]])
        }
    }
}
