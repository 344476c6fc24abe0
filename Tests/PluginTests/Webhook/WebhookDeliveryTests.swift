import Foundation
import Martlet
import Synchronization
import TestSupport
import Testing

@testable import WebhookPlugin

/// What reaches an endpoint, over real sockets and on real databases.
@Suite struct WebhookDeliveryTests {
    private static let quickRetries = #", "retry": {"delays_seconds": [0, 0, 0, 0, 0, 0, 0, 0]}, "breaker": {"failures": 1000}"#
    private static let slowRetries = #", "retry": {"delays_seconds": [3600], "jitter_percent": 0}, "breaker": {"failures": 1000}"#

    @Test(arguments: Backend.allCases) func eachEventArrivesSignedAndInOrderOfItsKey(_ backend: Backend) async throws {
        let receiver = ScriptedServer()
        defer { receiver.close() }
        let fixture = try await WebhookFixture(
            backend, endpoints: WebhookFixture.endpoint("one", receiver.url), #", "event_type": "${/type}", "headers": {"X-Key": "${@key}"}"#)
        for batch in 0..<5 {
            try await fixture.publish(
                (0..<100).map { (key: "k\($0 % 10)", payload: #"{"type":"like","n":\#(batch * 100 + $0)}"#) })
        }
        await waitUntil { receiver.requests.count >= 500 }
        await fixture.close()
        let requests = receiver.requests
        #expect(requests.count == 500 && Set(requests.map(\.webhookID)).count == 500)
        var last: [String: Int] = [:]
        for request in requests {
            let key = try #require(request.headers["x-key"])
            let number = try #require(Int(request.body.split(separator: ":").last?.dropLast() ?? ""))
            #expect(number > last[key] ?? -1, "key \(key)")
            last[key] = number
        }
        let request = try #require(requests.first)
        let timestamp = try #require(Int64(request.headers["webhook-timestamp"] ?? ""))
        let ring = KeyRing([KeyRing.Entry(key: try SigningKey(WebhookFixture.secret), until: nil)])
        #expect(
            request.headers["webhook-signature"]
                == ring.signatures(id: request.webhookID, timestamp: timestamp, body: Bytes(request.body), now: timestamp * 1000))
        #expect(request.headers["content-type"] == "application/json")
        #expect(request.headers["user-agent"] == "Martlet")
    }

    @Test func whatAnEndpointDoesNotWantNeedNotFitItsTemplates() async throws {
        let receiver = ScriptedServer()
        defer { receiver.close() }
        let orders = WebhookFixture.endpoint(
            "orders", receiver.url + "/orders",
            #", "event_types": ["order"], "headers": {"X-Order": "${/order_id}"}, "body": {"id": "${/order_id}"}"#)
        let likes = WebhookFixture.endpoint("likes", receiver.url + "/likes", #", "event_types": ["like"]"#)
        let fixture = try await WebhookFixture(endpoints: orders + "," + likes, #", "event_type": "${/type}""#)
        try await fixture.publish([(key: "a", payload: #"{"type":"like"}"#), (key: "b", payload: #"{"type":"order","order_id":7}"#)])
        await waitUntil { receiver.requestCount == 2 }
        #expect(Set(receiver.requests.map { $0.path + " " + $0.body }) == [#"/likes {"type":"like"}"#, #"/orders {"id":7}"#])
        let error = await #expect(throws: ModuleError.self) { try await fixture.publish(key: "c", #"{"type":"order"}"#) }
        #expect(error?.kind == .permanent && error?.code == "template.missing_field")
        await fixture.close()
    }

    /// It would be refused at each attempt, hold its key back for days, and have the endpoint disabled for it.
    @Test(arguments: ["a\nb", "a\u{7F}", " a", "a ", " \u{301}a"]) func anIDThatTheHeaderCannotCarryIsTheRecordsFault(id: String) async throws {
        let fixture = try await WebhookFixture(endpoints: WebhookFixture.endpoint("one", "http://127.0.0.1:1/"))
        let event = Event(id: Bytes(id), key: "k", payload: "{}", timestamp: 0)
        let message = Message(record: Record(topic: "likes", partition: 0, offset: 0, event: event), previousOffset: nil)
        let error = await #expect(throws: ModuleError.self) { _ = try await fixture.channel.deliver([message]) }
        #expect(error?.kind == .permanent && error?.code == "webhook.bad_id")
        await fixture.close()
    }

    @Test(arguments: Backend.allCases) func aRetryHoldsItsKeyAndNoOther(_ backend: Backend) async throws {
        let isHealed = Mutex(false)
        let receiver = ScriptedServer { request in
            request.body.contains("bad") && !isHealed.withLock { $0 } ? .status(500, body: "not now") : .status(204)
        }
        defer { receiver.close() }
        let fixture = try await WebhookFixture(
            backend, endpoints: WebhookFixture.endpoint("one", receiver.url),
            #", "retry": {"delays_seconds": [1, 1, 1, 1, 1, 1, 1, 1, 1], "jitter_percent": 0}, "breaker": {"failures": 1000}"#)
        try await fixture.publish([
            (key: "a", payload: #"{"bad":1}"#), (key: "b", payload: #"{"n":2}"#), (key: "a", payload: #"{"n":3}"#),
            (key: "b", payload: #"{"n":4}"#), (key: "a", payload: #"{"n":5}"#),
        ])
        await waitUntil { receiver.requests.contains { $0.body.contains("4") } }
        // More than a lane holds, so that they are read again by their key.
        try await fixture.publish((6..<300).map { (key: "a", payload: #"{"n":\#($0)}"#) })
        await waitUntil { receiver.requests.count(where: { $0.body.contains("bad") }) >= 2 }
        #expect(!receiver.requests.contains { $0.body == #"{"n":3}"# })
        isHealed.withLock { $0 = true }
        await waitUntil { receiver.requests.contains { $0.body == #"{"n":299}"# } }
        let bodies = receiver.requests.map(\.body).filter { !$0.contains("bad") && $0 != #"{"n":2}"# && $0 != #"{"n":4}"# }
        #expect(bodies == [3, 5].map { #"{"n":\#($0)}"# } + (6..<300).map { #"{"n":\#($0)}"# })
        let bad = receiver.requests.filter { $0.body.contains("bad") }
        #expect(Set(bad.map(\.webhookID)).count == 1)
        let attempts = try await fixture.attempts("one").filter { $0["status"] as? Int == 500 }
        #expect(attempts.count == bad.count - 1 && attempts.first?["answer"] as? String == "not now")
        await fixture.close()
    }

    @Test(arguments: Backend.allCases) func whatWaitsSurvivesARestart(_ backend: Backend) async throws {
        let isHealed = Mutex(false)
        let receiver = ScriptedServer { _ in isHealed.withLock { $0 } ? .status(200) : .status(500) }
        defer { receiver.close() }
        let endpoint = WebhookFixture.endpoint("one", receiver.url)
        let schedule = Array(repeating: "2", count: 30).joined(separator: ", ")
        let retries = #", "retry": {"delays_seconds": [\#(schedule)], "jitter_percent": 0}, "breaker": {"failures": 1000}"#
        let first = try await WebhookFixture(backend, endpoints: endpoint, retries)
        try await first.publish([(key: "a", payload: "1"), (key: "a", payload: "2"), (key: "b", payload: "3"), (key: nil, payload: "4")])
        await waitUntil { receiver.requests.count >= 3 }
        await waitUntil { (try? await first.deliveries("one", state: "retrying").count) == 3 }
        await first.close()
        isHealed.withLock { $0 = true }
        let second = try await WebhookFixture(backend, endpoints: endpoint, retries, database: first.database)
        await waitUntil { receiver.requests.contains { $0.body == "2" } && Set(receiver.requests.map(\.body)).count == 4 }
        let ids = Dictionary(grouping: receiver.requests, by: \.body).mapValues { Set($0.map(\.webhookID)) }
        #expect(ids.count == 4 && ids.values.allSatisfy { $0.count == 1 })
        await waitUntil { (try? await second.deliveries("one", state: "delivered").count) == 4 }
        let partition = GroupPartition(group: "hooks", topic: "likes", incarnation: "one", partition: 0)
        #expect(try await second.channel.committedOffset(of: partition) == 4)
        await second.close()
    }

    @Test func theEndOfTheScheduleLetsTheKeyGoOn() async throws {
        let receiver = ScriptedServer { $0.body == "1" ? .status(422) : .status(200) }
        defer { receiver.close() }
        let fixture = try await WebhookFixture(
            endpoints: WebhookFixture.endpoint("one", receiver.url), #", "retry": {"delays_seconds": [0, 0]}, "breaker": {"failures": 100}"#)
        try await fixture.publish([(key: "a", payload: "1"), (key: "a", payload: "2")])
        await waitUntil { receiver.requests.contains { $0.body == "2" } }
        #expect(receiver.requests.map(\.body) == ["1", "1", "1", "2"])
        await waitUntil { (try? await fixture.deliveries("one", state: "failed").count) == 1 }
        await fixture.close()
    }

    @Test func goneDisablesAndTellsATopic() async throws {
        let receiver = ScriptedServer { _ in .status(410) }
        let other = ScriptedServer()
        defer {
            receiver.close()
            other.close()
        }
        let fixture = try await WebhookFixture(
            endpoints: WebhookFixture.endpoint("gone", receiver.url) + "," + WebhookFixture.endpoint("other", other.url),
            #", "events_topic": "operations""#)
        try await fixture.publish(key: "a", "1")
        await waitUntil { (try? await fixture.state(of: "gone")) == "disabled" }
        await waitUntil { !fixture.events.payloads.isEmpty }
        #expect(fixture.events.payloads.first?.contains(#""endpoint":"gone""#) == true)
        #expect(fixture.events.payloads.first?.contains("410") == true)
        try await fixture.publish(key: "a", "2")
        await waitUntil { other.requests.count == 2 }
        #expect(receiver.requests.count == 1)
        #expect(try await fixture.deliveries("gone").count == 1)
        #expect(try await fixture.ask("POST", "/endpoints/{endpoint}/resume", endpoint: "gone").status == 200)
        try await fixture.publish(key: "a", "3")
        await waitUntil { receiver.requests.count == 2 }
        await fixture.close()
    }

    @Test(arguments: [("120", 115_000, 121_000), ("999999", 3_595_000, 3_601_000)])
    func retryAfterIsHonouredUpToACap(_ header: String, _ least: Int, _ most: Int) async throws {
        let receiver = ScriptedServer { _ in .status(503, headers: "Retry-After: \(header)\r\n") }
        defer { receiver.close() }
        let fixture = try await WebhookFixture(
            endpoints: WebhookFixture.endpoint("one", receiver.url), #", "retry": {"delays_seconds": [1], "jitter_percent": 0}"#)
        try await fixture.publish(key: "a", "1")
        await waitUntil { (try? await fixture.deliveries("one", state: "retrying").count) == 1 }
        let delivery = try #require(try await fixture.deliveries("one").first)
        let attempt = try #require(try await fixture.attempts("one").first)
        let wait = (delivery["due_at"] as? Int ?? 0) - (attempt["started_at"] as? Int ?? 0)
        #expect(wait >= least && wait <= most + 5_000, "\(wait)")
        // The endpoint is left alone, whatever else waits for it.
        try await fixture.publish(key: "b", "2")
        #expect(receiver.requests.count == 1)
        await fixture.close()
    }

    @Test func theBreakerPausesProbesAndReopens() async throws {
        let isHealed = Mutex(false)
        let receiver = ScriptedServer { _ in isHealed.withLock { $0 } ? .status(200) : .status(500) }
        defer { receiver.close() }
        let fixture = try await WebhookFixture(
            endpoints: WebhookFixture.endpoint("one", receiver.url),
            #", "retry": {"delays_seconds": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], "jitter_percent": 0}, "breaker": {"failures": 3, "pause_seconds": 1}"#)
        try await fixture.publish((0..<50).map { (key: "k\($0)", payload: "\($0)") })
        await waitUntil { (try? await fixture.ask("GET", "/endpoints/{endpoint}", endpoint: "one").json["failing_since"] is Int) == true }
        // No more than what was under way when the breaker opened, and a probe or two.
        #expect(receiver.requests.count <= 12)
        isHealed.withLock { $0 = true }
        await waitUntil { Set(receiver.requests.map(\.body)).count == 50 }
        await waitUntil { (try? await fixture.deliveries("one", state: "delivered").count) == 50 }
        await waitUntil { (try? await fixture.ask("GET", "/endpoints/{endpoint}", endpoint: "one").json["failing_since"] is NSNull) == true }
        await fixture.close()
    }

    @Test func hostsThatShareADatabaseShareTheEndpoints() async throws {
        let receiver = ScriptedServer()
        defer { receiver.close() }
        let endpoints = (0..<6).map { WebhookFixture.endpoint("e\($0)", receiver.url + "/\($0)") }.joined(separator: ",")
        let first = try await WebhookFixture(.postgres, endpoints: endpoints)
        let second = try await WebhookFixture(.postgres, endpoints: endpoints, database: first.database, host: "host-2")
        func owners() async throws -> [String: Int] {
            let hosts = try await first.ask("GET", "/endpoints").list("endpoints").map { $0["host"] as? String ?? "nobody" }
            return Dictionary(grouping: hosts, by: { $0 }).mapValues(\.count)
        }
        // Making an endpoint has everybody look at once.
        for number in 6..<8 {
            _ = try await first.ask("POST", "/endpoints", #"{"name": "e\#(number)", "url": "\#(receiver.url)/\#(number)"}"#)
        }
        try await first.publish((0..<20).map { (key: "k\($0)", payload: "\($0)") })
        await waitUntil { receiver.requests.count >= 160 }
        #expect(Set(receiver.requests.map { $0.path + $0.body }).count == 160 && receiver.requests.count == 160)
        // The host that leaves gives its endpoints back.
        await first.close()
        await waitUntil { (try? await owners()["host-1"]) == nil }
        try await second.publishWithoutOffset(after: 20, (0..<20).map { (key: "k\($0)", payload: "\(20 + $0)") })
        // What the first one had under way when it left comes again.
        await waitUntil { Set(receiver.requests.map { $0.path + $0.body }).count == 320 }
        await second.close()
    }
}

extension WebhookFixture {
    /// Takes over where another fixture over the same database stopped.
    func publishWithoutOffset(after offset: Offset, _ events: [(key: String?, payload: String)]) async throws {
        let messages = events.enumerated().map { index, event in
            Message(
                record: Record(
                    topic: "likes", partition: 0, offset: offset + Offset(index),
                    event: Event(id: EventID.generate(), key: event.key.map { Bytes($0) }, payload: Bytes(event.payload), timestamp: 1)),
                previousOffset: nil)
        }
        _ = try await channel.deliver(messages)
    }
}
