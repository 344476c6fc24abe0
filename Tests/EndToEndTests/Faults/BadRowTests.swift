import Foundation
import TestSupport
import Testing

extension EndToEnd {
    /// A record that its table cannot take is put aside, and the rest of its batch is written.
    @Suite struct BadRowTests {
        private static let table = "CREATE TABLE notifications (id TEXT PRIMARY KEY, recipient TEXT NOT NULL CHECK (recipient <> 'nobody'), "
            + "text VARCHAR(40) NOT NULL, created_at BIGINT NOT NULL)"

        @Test func onlyTheRecordAtFaultIsDeadLettered() async throws {
            let cluster = try Cluster(1, .servers) { _, config in
                config.set(
                    "databases", "main", "schema",
                    to: [
                        ["id": "001", "sql": "CREATE TABLE likes (post_id BIGINT NOT NULL, actor TEXT NOT NULL, PRIMARY KEY (post_id, actor))"],
                        ["id": "002", "sql": Self.table],
                    ])
                config.set("topics", "notifications", "partitions", to: 1)
                config.set("groups", "notification-store", "paused", to: true)
            }
            try await cluster.start()
            let server = try #require(cluster.postgreSQL)
            let long = String(repeating: "x", count: 60)
            let likes = (0..<300).map { number in
                switch number {
                case 50, 51, 299: Like("\(long)-\(number)", of: "bob")
                case 120: Like("fan-\(number)", of: "nobody")
                default: Like("fan-\(number)", of: "bob")
                }
            }
            try await cluster[0].likeAll(likes)
            // The group finds them all in one batch.
            let resume = try await Cluster.command(
                ["groups", "resume", "notification-store", "--admin", "http://" + cluster[0].adminAddress], in: cluster.folders[0],
                environment: ["MARTLET_ADMIN_TOKEN": Cluster.token])
            #expect(resume.code == 0, "\(resume.output)")
            let labels = ["group": "notification-store"]
            try await eventually("every record settled") {
                let deadLettered = try await cluster[0].metrics().value("martlet_group_dead_lettered_total", labels)
                let rows = try await server.sql.count("SELECT count(*) FROM notifications")
                return deadLettered == 4 && rows == 296
            }
            let bad: Set = [50, 51, 120, 299]
            let good = likes.enumerated().filter { !bad.contains($0.offset) }.map(\.element.text)
            #expect(try await server.sql.rows("SELECT text FROM notifications").sorted() == good.sorted())
            let letters = try await Cluster.command(
                ["dead-letters", "show", "notifications", "--admin", "http://" + cluster[0].adminAddress], in: cluster.folders[0],
                environment: ["MARTLET_ADMIN_TOKEN": Cluster.token])
            #expect(letters.code == 0, "\(letters.output)")
            #expect(letters.output.contains("postgres.value") && letters.output.contains("postgres.constraint"), "\(letters.output)")
            let metrics = try await cluster[0].metrics()
            #expect(metrics.value("martlet_group_handled_total", labels) == 296)
        }
    }
}
