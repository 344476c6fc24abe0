import Dispatch
import Foundation
import Martlet
import MartletTesting
import SQLitePlugin
import TestSupport
import Testing
import WebhookPlugin

/// Endpoints that come, go and are disabled while something of them is under way.
@Suite(.timeLimit(.minutes(3)))
struct WebhookChangeTests {
    private func create(_ fixture: WebhookFixture, _ name: String, _ url: String) async throws -> Int {
        try await fixture.ask("POST", "/endpoints", #"{"name": "\#(name)", "url": "\#(url)"}"#).status
    }

    @Test(arguments: Backend.allCases) func anEndpointThatIsMadeAgainIsDeliveredTo(_ backend: Backend) async throws {
        let gate = DispatchSemaphore(value: 0)
        let old = ScriptedServer { _ in
            gate.wait()
            return .status(200)
        }
        let new = ScriptedServer()
        defer {
            old.close()
            new.close()
        }
        let fixture = try await WebhookFixture(backend, endpoints: "")
        #expect(try await create(fixture, "shop", old.url) == 201)
        try await fixture.publish(key: "a", "1")
        await waitUntil { old.requestCount == 1 }
        #expect(try await fixture.ask("DELETE", "/endpoints/{endpoint}", endpoint: "shop").status == 204)
        // Its row goes a little later; the request to it is still under way.
        await waitUntil { (try? await create(fixture, "shop", new.url)) == 201 }
        gate.signal()
        try await fixture.publish(key: "a", "2")
        await waitUntil { new.requestCount == 1 }
        #expect(new.requests.map(\.body) == ["2"])
        #expect(old.requestCount == 1)
        await fixture.close()
    }

    @Test(arguments: Backend.allCases) func nothingIsReplayedForAnEndpointThatIsGone(_ backend: Backend) async throws {
        let failing = ScriptedServer { _ in .status(400) }
        let other = ScriptedServer()
        defer {
            failing.close()
            other.close()
        }
        let fixture = try await WebhookFixture(backend, endpoints: "", #", "retry": {"delays_seconds": []}"#)
        #expect(try await create(fixture, "gone", failing.url) == 201)
        try await fixture.publish(key: "a", "1")
        await waitUntil { (try? await fixture.deliveries("gone", state: "failed").count) == 1 }
        let id = try #require(try await fixture.deliveries("gone").first?["id"] as? Int)
        #expect(try await fixture.ask("DELETE", "/endpoints/{endpoint}", endpoint: "gone").status == 204)
        let many = try await fixture.ask("POST", "/replay", #"{"since": 0}"#)
        #expect(many.json["replayed"] as? Int == 0)
        let one = try await fixture.ask("POST", "/replay", #"{"delivery": \#(id)}"#)
        #expect(one.status == 404 && one.text.contains("its endpoint is gone"))
        // Whoever takes the name gets nothing that was meant for another.
        await waitUntil { (try? await create(fixture, "gone", other.url)) == 201 }
        try await fixture.publish(key: "a", "2")
        await waitUntil { (try? await fixture.deliveries("gone", state: "delivered").count) == 1 }
        #expect(other.requests.map(\.body) == ["2"])
        await fixture.close()
    }

    /// The event that tells of it may come late; an operator's word is not taken back for that.
    @Test func anEndpointThatWasResumedIsNotDisabledAgain() async throws {
        let receiver = ScriptedServer { $0.body == "1" ? .status(410) : .status(200) }
        defer { receiver.close() }
        let fixture = try await WebhookFixture(
            endpoints: WebhookFixture.endpoint("one", receiver.url), #", "events_topic": "operations""#)
        fixture.events.fail(.transient("log.away", "away"))
        try await fixture.publish(key: "a", "1")
        await waitUntil { (try? await fixture.state(of: "one")) == "disabled" }
        #expect(try await fixture.ask("POST", "/endpoints/{endpoint}/resume", endpoint: "one").status == 200)
        await waitUntil { fixture.log.contains("what became of an endpoint (attempt 4)") }
        #expect(try await fixture.state(of: "one") == "active")
        fixture.events.fail(nil)
        await waitUntil { fixture.events.payloads.count == 1 }
        try await fixture.publish(key: "a", "2")
        await waitUntil { receiver.requestCount == 2 }
        #expect(try await fixture.state(of: "one") == "active")
        await fixture.close()
    }

    /// An endpoint that is gone gets nothing more from this host, so that the note of it must be made sooner or later.
    @Test func anEndpointIsDisabledThoughTheDatabaseIsAwayForLong() async throws {
        let answer = DispatchSemaphore(value: 0)
        let receiver = ScriptedServer { _ in
            answer.wait()
            return .status(410)
        }
        defer { receiver.close() }
        let folder = try TemporaryFolder()
        func open(busyMilliseconds: Int) async throws -> SQLiteDatabase {
            let database = try TestHost(baseDirectory: folder.path).make(
                SQLiteDatabase.self, #"{"path": "main.db", "busy_timeout_ms": \#(busyMilliseconds)}"#, name: "main")
            try await database.open()
            return database
        }
        let (database, other) = (try await open(busyMilliseconds: 10), try await open(busyMilliseconds: 60_000))
        let fixture = try await WebhookFixture(
            endpoints: WebhookFixture.endpoint("one", receiver.url), #", "events_topic": "operations""#, database: database)
        try await fixture.publish(key: "a", "1")
        await waitUntil { receiver.requestCount == 1 }
        let gate = TestGate()
        let update = try other.prepare("UPDATE martlet_webhook_hosts SET seen_until = seen_until")
        async let lock: Void = other.transaction { connection in
            _ = try connection.execute(update, [])
            gate.hold()
        }
        await gate.isHeld()
        answer.signal()
        await waitUntil { fixture.log.contains("what became of an endpoint (attempt 8)") }
        gate.release()
        try await lock
        await waitUntil { (try? await fixture.state(of: "one")) == "disabled" }
        await waitUntil { fixture.events.payloads.count == 1 }
        await fixture.close()
        await other.close()
    }
}
