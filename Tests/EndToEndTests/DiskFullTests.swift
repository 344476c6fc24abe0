import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// The disk fills up under a running host.
    @Suite(.enabled(if: TinyDisk.isPossible, Comment(rawValue: TinyDisk.needs))) struct DiskFullTests {
        @Test(arguments: [0, 4 << 20])
        func nothingIsAcknowledgedThatIsNotKept(minFreeBytes: Int) async throws {
            let folder = try TemporaryFolder()
            let disk = try TinyDisk(at: folder["data"], bytes: 256 << 20)
            defer { disk.unmount() }
            try TestConfig.copyShipped(to: folder)
            let overrides = ["log.min_free_bytes=\(minFreeBytes)"]
            var host = try await HostProcess.start(in: folder, set: overrides)
            try await host.waitUntilReady()
            var acknowledged = (1...20).map { Like("before\($0)", of: "bob") }
            try await host.likeAll(acknowledged)

            try disk.fill()
            let address = host.address
            let (kept, refusal) = try await onThread { try Self.postUntilRefused(address) }
            acknowledged += kept
            #expect(refusal.status == 503)
            #expect(refusal.headers["content-type"] == "application/problem+json")
            #expect(refusal.headers["retry-after"] != nil)
            #expect(refusal.text("code") == "sqlite.full")
            #expect(refusal.text("detail")?.contains("disk is full") == true, "\(refusal.body)")

            disk.empty()
            let after = Like("after", of: "bob")
            try await eventually("likes again") { [200, 201].contains(try await host.like(after).status) }
            acknowledged.append(after)
            #expect(try await host.stop() == 0)

            host = try await HostProcess.start(in: folder, set: overrides)
            try await host.waitUntilReady()
            let file = SQLiteFile(path: folder["data/main.db"])
            try await eventually("all notifications") {
                try file.count("SELECT COUNT(*) FROM notifications") >= acknowledged.count
            }
            #expect(try await host.stop() == 0)
            let likes = Set(try file.rows("SELECT actor FROM likes").map { $0[0] })
            #expect(Set(acknowledged.map(\.actor)).subtracting(likes).isEmpty)
            // A refused one is not saved.
            #expect(likes.subtracting(acknowledged.map(\.actor)).isEmpty)
            let texts = try file.rows("SELECT text FROM notifications").map { $0[0] }
            #expect(texts.count == acknowledged.count)
            #expect(Set(texts) == Set(acknowledged.map(\.text)))
        }

        /// The likes that were still taken, and the first answer that was not 201.
        private static func postUntilRefused(_ address: String) throws -> ([Like], HTTPAnswer) {
            let connection = try HTTPConnection(address)
            var kept: [Like] = []
            while kept.count < 50_000 {
                let like = Like("full\(kept.count)-\(String(repeating: "n", count: 80))", of: "bob")
                let answer = try connection.post("/likes", like.json)
                guard answer.status == 201 else { return (kept, answer) }
                kept.append(like)
            }
            throw TestFailure("50,000 likes taken on a full disk")
        }
    }
}
