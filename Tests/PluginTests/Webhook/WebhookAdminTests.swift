import Foundation
import Martlet
import Synchronization
import TestSupport
import Testing

@testable import WebhookPlugin

/// Endpoints that the admin API makes, and replays.
@Suite struct WebhookAdminTests {
    private func create(_ fixture: WebhookFixture, _ name: String, _ url: String, _ fields: String = "") async throws -> String {
        let answer = try await fixture.ask("POST", "/endpoints", #"{"name": "\#(name)", "url": "\#(url)"\#(fields)}"#)
        #expect(answer.status == 201, "\(answer.text)")
        return try #require(answer.json["secret"] as? String)
    }

    @Test(arguments: Backend.allCases) func anEndpointIsMadePausedResumedAndRemoved(_ backend: Backend) async throws {
        let receiver = ScriptedServer()
        defer { receiver.close() }
        let fixture = try await WebhookFixture(backend, endpoints: "", #", "event_type": "${/type}""#)
        let secret = try await create(fixture, "orders", receiver.url, #", "event_types": ["order.*"], "description": "the shop""#)
        #expect(secret.hasPrefix("whsec_"))
        let shown = try await fixture.ask("GET", "/endpoints/{endpoint}", endpoint: "orders")
        #expect(!shown.text.contains(secret) && shown.json["description"] as? String == "the shop")
        #expect(try await !fixture.ask("GET", "/endpoints").text.contains(secret))
        try await fixture.publish([(key: "a", payload: #"{"type":"order.paid"}"#), (key: "a", payload: #"{"type":"like"}"#)])
        await waitUntil { receiver.requests.count == 1 }
        #expect(receiver.requests.first?.body == #"{"type":"order.paid"}"#)

        #expect(try await fixture.ask("POST", "/endpoints/{endpoint}/pause", endpoint: "orders").json["state"] as? String == "paused")
        try await fixture.publish(key: "a", #"{"type":"order.sent"}"#)
        await waitUntil { (try? await fixture.ask("GET", "/endpoints/{endpoint}", endpoint: "orders").json["waiting"] as? Int) == 1 }
        _ = try await fixture.ask("POST", "/endpoints/{endpoint}/resume", endpoint: "orders")
        await waitUntil { receiver.requests.count == 2 }

        let changed = try await fixture.ask("PATCH", "/endpoints/{endpoint}", endpoint: "orders", #"{"event_types": ["like"]}"#)
        #expect(changed.status == 200)
        try await fixture.publish([(key: "a", payload: #"{"type":"order.paid"}"#), (key: "a", payload: #"{"type":"like"}"#)])
        await waitUntil { receiver.requests.count == 3 }
        #expect(receiver.requests.last?.body == #"{"type":"like"}"#)

        _ = try await fixture.ask("POST", "/endpoints/{endpoint}/pause", endpoint: "orders")
        try await fixture.publish(key: "a", #"{"type":"like"}"#)
        #expect(try await fixture.ask("DELETE", "/endpoints/{endpoint}", endpoint: "orders").status == 204)
        #expect(try await fixture.ask("GET", "/endpoints").list("endpoints").isEmpty)
        await waitUntil { (try? await fixture.deliveries("orders", state: "dropped").count) == 1 }
        await fixture.close()
    }

    @Test func aNewSecretSignsBesideTheOldOne() async throws {
        let receiver = ScriptedServer()
        defer { receiver.close() }
        let fixture = try await WebhookFixture(endpoints: "")
        let old = try await create(fixture, "one", receiver.url)
        let rotated = try await fixture.ask("POST", "/endpoints/{endpoint}/secret", endpoint: "one", #"{"algorithm": "v1a"}"#)
        let new = try #require(rotated.json["secret"] as? String)
        #expect(new.hasPrefix("whsk_"))
        try await fixture.publish(key: "a", "1")
        await waitUntil { receiver.requests.count == 1 }
        let request = try #require(receiver.requests.first)
        let timestamp = try #require(Int64(request.headers["webhook-timestamp"] ?? ""))
        let ring = KeyRing([KeyRing.Entry(key: try SigningKey(new), until: nil), KeyRing.Entry(key: try SigningKey(old), until: nil)])
        let expected = ring.signatures(id: request.webhookID, timestamp: timestamp, body: "1", now: timestamp * 1000)
        #expect(request.headers["webhook-signature"] == expected)
        #expect(expected.hasPrefix("v1a,") && expected.contains(" v1,"))
        let secrets = try await fixture.ask("GET", "/endpoints/{endpoint}", endpoint: "one").list("secrets")
        #expect(secrets.count == 2 && (secrets[0]["public_key"] as? String)?.hasPrefix("whpk_") == true && secrets[1]["until"] is Int)
        _ = try await fixture.ask("POST", "/endpoints/{endpoint}/secret", endpoint: "one", #"{"keep_hours": 0}"#)
        try await fixture.publish(key: "a", "2")
        await waitUntil { receiver.requests.count == 2 }
        #expect(receiver.requests.last?.headers["webhook-signature"]?.contains(" ") == false)
        await fixture.close()
    }

    @Test(arguments: Backend.allCases) func deliveriesAreReplayed(_ backend: Backend) async throws {
        let isHealed = Mutex(false)
        let receiver = ScriptedServer { _ in isHealed.withLock { $0 } ? .status(200) : .status(400) }
        defer { receiver.close() }
        let fixture = try await WebhookFixture(
            backend, endpoints: WebhookFixture.endpoint("one", receiver.url), #", "retry": {"delays_seconds": []}, "breaker": {"failures": 1000}"#)
        try await fixture.publish((0..<4).map { (key: "a", payload: "\($0)") })
        await waitUntil { (try? await fixture.deliveries("one", state: "failed").count) == 4 }
        isHealed.withLock { $0 = true }
        let failed = try await fixture.deliveries("one", state: "failed")
        let id = try #require(failed.first { $0["offset"] as? Int == 2 }?["id"] as? Int)
        let one = try await fixture.ask("POST", "/replay", #"{"delivery": \#(id)}"#)
        #expect(one.json["replayed"] as? Int == 1)
        await waitUntil { receiver.requests.count == 5 }
        #expect(receiver.requests.last?.body == "2" && receiver.requests.last?.webhookID == receiver.requests[2].webhookID)
        #expect(try await fixture.ask("POST", "/replay", #"{"delivery": \#(id)}"#).status == 404)
        let rest = try await fixture.ask("POST", "/replay", #"{"since": 0, "endpoint": "one"}"#)
        #expect(rest.json["replayed"] as? Int == 3 && rest.json["next"] is NSNull)
        await waitUntil { receiver.requests.count == 8 }
        #expect(receiver.requests.suffix(3).map(\.body) == ["0", "1", "3"])
        await waitUntil { (try? await fixture.deliveries("one", state: "delivered").count) == 4 }
        let any = try await fixture.ask("POST", "/replay", #"{"since": 0, "state": "any"}"#)
        #expect(any.json["replayed"] as? Int == 4)
        await waitUntil { receiver.requests.count == 12 }
        await fixture.close()
    }

    @Test(arguments: [
        ("POST", "/endpoints", #"{"url": "ftp://example.com"}"#, 400, "begins with https://"),
        ("POST", "/endpoints", #"{"name": "a b", "url": "https://example.com"}"#, 400, "1 to 128"),
        ("POST", "/endpoints", #"{"url": "https://example.com", "sceret": "x"}"#, 400, "unknown key `sceret`"),
        ("POST", "/endpoints", #"{"url": "https://example.com", "secret": "hunter2"}"#, 400, "whsec_"),
        ("POST", "/endpoints", #"{"name": "fixed", "url": "https://example.com"}"#, 409, "already"),
        ("POST", "/replay", #"{}"#, 400, "since"),
        ("POST", "/replay", #"{"since": 0, "state": "waiting"}"#, 200, "\"replayed\":0"),
    ]) func refusesWithAReason(_ method: String, _ path: String, _ body: String, _ status: Int, _ text: String) async throws {
        let fixture = try await WebhookFixture(endpoints: WebhookFixture.endpoint("fixed", "http://127.0.0.1:1/"))
        let answer = try await fixture.ask(method, path, body)
        #expect(answer.status == status && answer.text.contains(text), "\(answer.text)")
        #expect(!answer.text.contains("hunter2"))
        await fixture.close()
    }

    @Test func endpointsOfTheConfigAreNotChangedHere() async throws {
        let fixture = try await WebhookFixture(endpoints: WebhookFixture.endpoint("fixed", "http://127.0.0.1:1/"))
        for (method, path) in [
            ("DELETE", "/endpoints/{endpoint}"), ("PATCH", "/endpoints/{endpoint}"), ("POST", "/endpoints/{endpoint}/secret"),
        ] {
            let answer = try await fixture.ask(method, path, endpoint: "fixed")
            #expect(answer.status == 409 && answer.text.contains("stands in the config"), "\(method): \(answer.text)")
        }
        #expect(try await fixture.ask("POST", "/endpoints/{endpoint}/pause", endpoint: "fixed").json["state"] as? String == "paused")
        #expect(try await fixture.ask("GET", "/endpoints/{endpoint}", endpoint: "nobody").status == 404)
        await fixture.close()
    }
}
