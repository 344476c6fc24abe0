import Foundation
import Martlet
import TestSupport
import Testing

@testable import WebhookPlugin

/// What an endpoint may take of the channel, and for how long things are kept.
@Suite struct WebhookLimitTests {
    private static let noRetry = #", "retry": {"delays_seconds": [3600]}, "breaker": {"failures": 1000}"#

    /// Those that never answer hold their requests far longer than the test takes, and want more than there are.
    @Test func aHundredDeadOfAThousandHoldNobodyUp() async throws {
        let alive = ScriptedServer()
        let silent = ScriptedServer { _ in .silence }
        defer {
            alive.close()
            silent.close()
        }
        let refusing = ScriptedServer.freePort()
        let endpoints = (0..<1_000).map { number in
            let url = number % 10 > 0 ? "\(alive.url)/\(number)" : number % 40 > 0 ? silent.url : "http://127.0.0.1:\(refusing)/"
            return WebhookFixture.endpoint("e\(number)", url)
        }
        let fixture = try await WebhookFixture(
            endpoints: endpoints.joined(separator: ","), #", "timeout_ms": 600000, "max_requests": 100"#)
        try await fixture.publish((0..<4).map { (key: "k\($0)", payload: "\($0)") })
        await waitUntil { alive.requestCount >= 900 * 4 }
        #expect(Set(alive.requests.map { $0.path + " " + $0.body }).count == 900 * 4)
        #expect(silent.requestCount == 75)
        await fixture.close()
    }

    private static func limits(maxPerSecond: Int?) -> EndpointPace.Limits {
        EndpointPace.Limits(maxInFlight: 16, maxPerSecond: maxPerSecond, breakerFailures: 10, firstPause: 1_000, longestPause: 1_000)
    }

    /// The rate by a clock of the test's own: what is admitted in a minute, looked at each millisecond.
    @Test(arguments: [(1, 60), (7, 420), (1_000, 60_000)]) func aRateIsKept(_ rate: Int, _ aMinute: Int) throws {
        var pace = EndpointPace(Self.limits(maxPerSecond: rate), now: 0)
        let mostAtOnce = max(1, rate / 10)
        var admitted = 0
        for now in 0..<Int64(60_000) {
            var atOnce = 0
            while pace.admit(inFlight: 0, now: now) {
                atOnce += 1
                // Without a rate it would be admitted for ever.
                try #require(atOnce <= mostAtOnce, "at \(now) ms more than \(mostAtOnce) requests are admitted at once")
            }
            admitted += atOnce
        }
        #expect(admitted >= aMinute * 98 / 100 && admitted <= aMinute + 1, "\(admitted)")
    }

    @Test func anEndpointWithARateGetsAllInTheEnd() async throws {
        let receiver = ScriptedServer()
        defer { receiver.close() }
        let fixture = try await WebhookFixture(endpoints: WebhookFixture.endpoint("one", receiver.url, #", "max_per_second": 5"#))
        try await fixture.publish((0..<12).map { (key: "k\($0)", payload: "\($0)") })
        await waitUntil { (try? await fixture.deliveries("one", state: "delivered").count) == 12 }
        let starts = try await fixture.attempts("one").compactMap { $0["started_at"] as? Int }
        // Eleven waits of a fifth of a second; a slow machine makes it more.
        #expect((starts.max() ?? 0) - (starts.min() ?? 0) >= 2_000)
        await fixture.close()
    }

    @Test func anEndpointThatFailsForTooLongIsDisabledAndATopicIsTold() async throws {
        let receiver = ScriptedServer { _ in .status(500) }
        defer { receiver.close() }
        let endpoint = WebhookFixture.endpoint("one", receiver.url)
        let fields = Self.noRetry + #", "disable_after_hours": 2, "events_topic": "operations""#
        let first = try await WebhookFixture(endpoints: endpoint, fields)
        try await first.publish(key: "a", "1")
        await waitUntil { (try? await first.attempts("one").count) == 1 }
        #expect(try await first.state(of: "one") == "active")
        await first.close()
        try await first.execute("UPDATE martlet_webhook_endpoints SET failing_since = \(Timestamp.now() - 3 * 3_600_000)")
        let second = try await WebhookFixture(endpoints: endpoint, fields, database: first.database)
        try await second.publishWithoutOffset(after: 1, [(key: "b", payload: "2")])
        await waitUntil { (try? await second.state(of: "one")) == "disabled" }
        await waitUntil { !second.events.payloads.isEmpty }
        let event = try #require(second.events.payloads.first)
        #expect(event.contains(#""type":"webhook.endpoint_disabled""#) && event.contains(#""endpoint":"one""#), "\(event)")
        #expect(event.contains("every attempt since") && event.contains("answers 500"), "\(event)")
        #expect(second.events.payloads.count == 1)
        #expect(second.log.contains("webhook.endpoint_disabled") && second.log.contains("every attempt since"))
        // Nothing more is queued for it.
        try await second.publishWithoutOffset(after: 2, [(key: "c", payload: "3")])
        #expect(try await second.deliveries("one").count == 2)
        await second.close()
    }

    /// What was noted before a restart is taken back by a success, also when the breaker was not open.
    @Test func aSuccessEndsTheTimeOfFailure() async throws {
        let receiver = ScriptedServer { $0.body == "good" ? .status(200) : .status(500) }
        defer { receiver.close() }
        let endpoint = WebhookFixture.endpoint("one", receiver.url)
        let fields = Self.noRetry + #", "disable_after_hours": 2"#
        let first = try await WebhookFixture(endpoints: endpoint, fields)
        await first.close()
        try await first.execute("UPDATE martlet_webhook_endpoints SET failing_since = \(Timestamp.now() - 3 * 3_600_000)")
        let second = try await WebhookFixture(endpoints: endpoint, fields, database: first.database)
        try await second.publish(key: "a", "good")
        await waitUntil { (try? await second.ask("GET", "/endpoints/{endpoint}", endpoint: "one").json["failing_since"] is NSNull) == true }
        await second.close()
        let third = try await WebhookFixture(endpoints: endpoint, fields, database: first.database)
        try await third.publishWithoutOffset(after: 1, [(key: "b", payload: "bad")])
        await waitUntil { (try? await third.deliveries("one", state: "retrying").count) == 1 }
        #expect(try await third.state(of: "one") == "active")
        await third.close()
    }

    @Test(arguments: Backend.allCases) func aBacklogThatIsTooLongDisables(_ backend: Backend) async throws {
        let receiver = ScriptedServer { _ in .status(500) }
        defer { receiver.close() }
        let fixture = try await WebhookFixture(
            backend, endpoints: WebhookFixture.endpoint("one", receiver.url) + "," + WebhookFixture.endpoint("other", receiver.url)
                + "," + WebhookFixture.endpoint("idle", receiver.url, #", "event_types": ["none"]"#),
            Self.noRetry + #", "max_backlog_events": 20, "events_topic": "operations""#)
        try await fixture.publish((0..<20).map { (key: "a", payload: "\($0)") })
        await waitUntil { (try? await fixture.attempts("one").count) == 1 }
        _ = try await fixture.ask("POST", "/endpoints/{endpoint}/pause", endpoint: "other")
        try await fixture.publish((20..<40).map { (key: "a", payload: "\($0)") })
        for endpoint in ["one", "other"] {
            await waitUntil {
                // A change has the channel look at once; without it backlogs are looked at every half a minute.
                _ = try? await fixture.ask("POST", "/endpoints/{endpoint}/resume", endpoint: "idle")
                return (try? await fixture.state(of: endpoint)) == "disabled"
            }
            await waitUntil { fixture.events.payloads.contains { $0.contains(#""endpoint":"\#(endpoint)""#) && $0.contains("max_backlog_events") } }
        }
        try await fixture.publish((40..<50).map { (key: "a", payload: "\($0)") })
        #expect(try await fixture.deliveries("one").count == 40)
        await fixture.close()
    }

    @Test(arguments: Backend.allCases) func whatIsFinishedIsRemovedAfterItsTime(_ backend: Backend) async throws {
        let receiver = ScriptedServer { $0.body == "bad" ? .status(500) : .status(200, body: "thanks") }
        defer { receiver.close() }
        let fixture = try await WebhookFixture(
            backend, endpoints: WebhookFixture.endpoint("one", receiver.url), Self.noRetry + #", "keep_hours": 1"#)
        try await fixture.publish((0..<10).map { (key: "k\($0)", payload: $0 == 0 ? "bad" : "\($0)") })
        await waitUntil { (try? await fixture.deliveries("one", state: "delivered").count) == 9 }
        await waitUntil { (try? await fixture.deliveries("one", state: "retrying").count) == 1 }
        let old = Timestamp.now() - 3_600_001
        // Five are past their time; the one that waits for its retry is not finished, however old.
        try await fixture.execute("UPDATE martlet_webhook_deliveries SET created_at = \(old)")
        try await fixture.execute("UPDATE martlet_webhook_deliveries SET finished_at = \(old) WHERE state = 2 AND id <= 6")
        await waitUntil { (try? await fixture.number("SELECT COUNT(*) FROM martlet_webhook_deliveries")) == 5 }
        await waitUntil { (try? await fixture.number("SELECT COUNT(*) FROM martlet_webhook_attempts")) == 5 }
        #expect(try await fixture.deliveries("one", state: "retrying").count == 1)
        #expect(try await fixture.number("SELECT MIN(id) FROM martlet_webhook_deliveries WHERE state = 2") == 7)
        await fixture.close()
    }

    @Test(arguments: Backend.allCases) func noMoreThanSoManyAreKept(_ backend: Backend) async throws {
        let receiver = ScriptedServer()
        defer { receiver.close() }
        let fixture = try await WebhookFixture(backend, endpoints: WebhookFixture.endpoint("one", receiver.url), #", "keep_events": 7"#)
        try await fixture.publish((0..<20).map { (key: "k\($0)", payload: "\($0)") })
        await waitUntil { receiver.requestCount == 20 }
        await waitUntil { (try? await fixture.number("SELECT COUNT(*) FROM martlet_webhook_deliveries")) == 7 }
        await waitUntil { (try? await fixture.number("SELECT COUNT(*) FROM martlet_webhook_attempts")) == 7 }
        #expect(try await fixture.number("SELECT COUNT(*) FROM martlet_webhook_deliveries WHERE state = 2") == 7)
        await fixture.close()
    }
}
