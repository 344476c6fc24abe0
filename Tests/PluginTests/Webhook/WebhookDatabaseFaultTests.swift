import Foundation
import Martlet
import MartletTesting
import PostgreSQLPlugin
import SQLitePlugin
import TestSupport
import Testing

/// The database goes away in the middle of delivering: each event arrives, in the order of its key, and repeats have the
/// same id.
@Suite(.timeLimit(.minutes(3)))
struct WebhookDatabaseFaultTests {
    private static let keys = 5

    private func publish(_ count: Int, to fixture: WebhookFixture) async throws {
        try await fixture.publish((0..<count).map { (key: "k\($0 % Self.keys)", payload: "\($0)") })
    }

    /// - Parameter repeats: how many events may have come twice; those whose results were not written.
    private func check(_ receiver: ScriptedServer, count: Int, repeats: ClosedRange<Int>) {
        let requests = receiver.requests
        let ids = Dictionary(grouping: requests, by: \.body).mapValues { Set($0.map(\.webhookID)) }
        #expect(ids.count == count && ids.values.allSatisfy { $0.count == 1 })
        #expect(repeats.contains(requests.count - count), "\(requests.count - count) repeats")
        var seen: Set<String> = []
        let firsts = requests.map(\.body).filter { seen.insert($0).inserted }.compactMap { Int($0) }
        for key in 0..<Self.keys {
            let numbers = firsts.filter { $0 % Self.keys == key }
            #expect(numbers == numbers.sorted(), "key \(key)")
        }
    }

    @Test func aLockedFile() async throws {
        // Slow enough that the lock is taken in the middle.
        let receiver = ScriptedServer(pause: .milliseconds(20))
        defer { receiver.close() }
        let folder = try TemporaryFolder()
        func open(busyMilliseconds: Int) async throws -> SQLiteDatabase {
            let database = try TestHost(baseDirectory: folder.path).make(
                SQLiteDatabase.self, #"{"path": "main.db", "busy_timeout_ms": \#(busyMilliseconds)}"#, name: "main")
            try await database.open()
            return database
        }
        let (database, other) = (try await open(busyMilliseconds: 50), try await open(busyMilliseconds: 60_000))
        let fixture = try await WebhookFixture(endpoints: WebhookFixture.endpoint("one", receiver.url), database: database)
        try await publish(400, to: fixture)
        await waitUntil { receiver.requestCount >= 40 }
        let gate = TestGate()
        let insert = try other.prepare("UPDATE martlet_webhook_hosts SET seen_until = seen_until")
        async let lock: Void = other.transaction { connection in
            _ = try connection.execute(insert, [])
            gate.hold()
        }
        await gate.isHeld()
        await waitUntil { fixture.log.contains("cannot write what became of deliveries") }
        // What was under way ends, and nothing more is sent: what is not written would be sent again after a crash.
        await waitUntil { (try? await fixture.number("SELECT COUNT(*) FROM martlet_webhook_deliveries WHERE state = 2")).map { $0 > 0 } == true }
        #expect(receiver.requestCount < 400)
        gate.release()
        try await lock
        await waitUntil { (try? await fixture.deliveries("one", state: "delivered").count) == 400 }
        #expect(fixture.log.contains("results of deliveries can be written again"))
        await fixture.close()
        check(receiver, count: 400, repeats: 0...0)
        await other.close()
    }

    @Test func aServerThatStops() async throws {
        let server = try PostgreSQLServer()
        let receiver = ScriptedServer(pause: .milliseconds(2))
        defer { receiver.close() }
        let database = try server.makeDatabase()
        try await database.open()
        let endpoint = WebhookFixture.endpoint("one", receiver.url)
        let first = try await WebhookFixture(endpoints: endpoint, database: database)
        try await publish(400, to: first)
        await waitUntil { receiver.requestCount >= 40 }
        try server.stop()
        await waitUntil { first.log.contains("cannot write what became of deliveries") }
        let sent = receiver.requestCount
        #expect(sent < 400)
        try server.start()
        await waitUntil { receiver.requestCount >= sent + 40 }
        // Once more, and this time the channel is closed meanwhile: it forgets what it could not write.
        func complaints() -> Int { first.log.components(separatedBy: "cannot write what became of deliveries").count }
        let before = complaints()
        try server.stop()
        await waitUntil { complaints() > before }
        await first.close()
        try server.start()
        var reopened: WebhookFixture?
        await waitUntil {
            reopened = try? await WebhookFixture(endpoints: endpoint, database: database)
            return reopened != nil
        }
        let second = try #require(reopened)
        await waitUntil { (try? await second.number("SELECT COUNT(*) FROM martlet_webhook_deliveries WHERE state = 2")) == 400 }
        await second.close()
        // Of each key one was under way, of a key whose write was cut off a few.
        check(receiver, count: 400, repeats: 0...100)
        await database.close()
    }
}
