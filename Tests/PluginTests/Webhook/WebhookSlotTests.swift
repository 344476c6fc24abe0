import Dispatch
import Martlet
import MartletTesting
import TestSupport
import Testing

@testable import WebhookPlugin

/// More requests than slots: who gets one.
@Suite struct WebhookSlotTests {
    private static let delivery = WebhookPlugin.Delivery(id: 1, key: nil, messageID: "1", body: "x")
    /// The endpoints are named by the event's key. A request that hangs does so for longer than any test.
    private static let fields = #", "event_type": "${@key}", "timeout_ms": 600000, "max_requests": 20"#

    private static func endpoints(_ name: String, _ count: Int, _ url: String) -> String {
        (0..<count).map { WebhookFixture.endpoint("\(name)\($0)", "\(url)/\($0)", #", "event_types": ["\#(name)", "all"]"#) }
            .joined(separator: ",")
    }

    private static let deliveredCount = "SELECT COUNT(*) FROM martlet_webhook_deliveries WHERE state = 2"

    @Test func endpointsThatAnswerGetTheirsWhileMoreThanThereAreSlotsHang() async throws {
        let alive = ScriptedServer()
        let silent = ScriptedServer { _ in .silence }
        defer {
            alive.close()
            silent.close()
        }
        let fixture = try await WebhookFixture(
            endpoints: Self.endpoints("live", 10, alive.url) + "," + Self.endpoints("silent", 30, silent.url), Self.fields)
        try await fixture.publish(key: "live", "0")
        await waitUntil { (try? await fixture.number(Self.deliveredCount)) == 10 }
        try await fixture.publish(key: "silent", "1")
        await waitUntil { silent.requestCount >= 18 }
        try await fixture.publish((2..<12).map { (key: "all", payload: "\($0)") })
        await waitUntil { (try? await fixture.number(Self.deliveredCount)) == 10 + 10 * 10 }
        #expect(Set(alive.requests.map { $0.path + " " + $0.body }).count == 10 + 10 * 10)
        #expect(silent.requestCount == 18)
        await fixture.close()
    }

    /// After a restart those that failed before it have a quarter of the slots, and the others need not have answered yet.
    @Test func endpointsThatAreKnownToFailHaveAQuarter() async throws {
        let alive = ScriptedServer()
        let silent = ScriptedServer { _ in .silence }
        defer {
            alive.close()
            silent.close()
        }
        let endpoints = Self.endpoints("live", 10, alive.url) + "," + Self.endpoints("silent", 30, silent.url)
        let first = try await WebhookFixture(endpoints: endpoints, Self.fields)
        await first.close()
        try await first.execute(
            "UPDATE martlet_webhook_endpoints SET failing_since = \(Timestamp.now() - 3_600_000) WHERE endpoint LIKE 'silent%'")
        let second = try await WebhookFixture(endpoints: endpoints, Self.fields, database: first.database)
        try await second.publish(key: "silent", "0")
        await waitUntil { silent.requestCount >= 5 }
        try await second.publish((1..<11).map { (key: "all", payload: "\($0)") })
        await waitUntil { (try? await second.number(Self.deliveredCount)) == 10 * 10 }
        #expect(Set(alive.requests.map { $0.path + " " + $0.body }).count == 10 * 10)
        #expect(silent.requestCount == 5)
        await second.close()
    }

    /// Whoever gives a slot back and wants it again waits behind the others.
    @Test func endpointsTakeTurns() async throws {
        let gate = DispatchSemaphore(value: 0)
        let receiver = ScriptedServer { request in
            if request.body == "stop" { gate.wait() }
            return .status(200)
        }
        defer { receiver.close() }
        let fixture = try await WebhookFixture(
            endpoints: Self.endpoints("live", 12, receiver.url) + "," + Self.endpoints("plug", 4, receiver.url),
            #", "event_type": "${@key}", "max_requests": 4"#)
        try await fixture.publish(key: "all", "0")
        await waitUntil { (try? await fixture.number(Self.deliveredCount)) == 16 }
        try await fixture.publish(key: "plug", "stop")
        await waitUntil { receiver.requestCount == 20 }
        try await fixture.publish((0..<40).map { (key: "live", payload: "\($0)") })
        // They stand in line behind the channel's own reads, so that all endpoints have what they want to send.
        for _ in 0..<100 { _ = try await fixture.number(Self.deliveredCount) }
        for _ in 0..<4 { gate.signal() }
        await waitUntil { (try? await fixture.number(Self.deliveredCount)) == 20 + 12 * 40 }
        #expect(Set(receiver.requests.dropFirst(20).prefix(40).map(\.path)).count == 12)
        await fixture.close()
    }

    @Test func somePartsAreReserved() {
        var slots = RequestSlots(limit: 100)
        func fill(_ claim: SlotClaim) { while slots.room(for: claim) > 0 { slots.took(Self.delivery, for: claim) } }
        fill(.hanging)
        #expect(slots.count == 25)
        fill(.more)
        #expect(slots.count == 75)
        fill(.trial)
        #expect(slots.count == 88)
        fill(.first)
        #expect(slots.count == 100 && slots.bytes == 100 * Self.delivery.size)
        slots.freed(Self.delivery, of: .hanging)
        #expect(SlotClaim.allCases.filter { slots.room(for: $0) > 0 } == [.first])
        for _ in 0..<99 { slots.freed(Self.delivery, of: .first) }
        #expect(slots.count == 0 && slots.bytes == 0 && slots.room(for: .hanging) == 1)
        for limit in 1...20 {
            #expect(SlotClaim.allCases.allSatisfy { RequestSlots(limit: limit).room(for: $0) > 0 }, "\(limit)")
        }
    }

    @Test func whoWaitsComesInTurnAndOnce() {
        var queue = SlotQueue()
        for name in ["a", "b", "a", "c"] { queue.add(name, .more) }
        queue.add("d", .first)
        queue.add("a", .hanging)
        var slots = RequestSlots(limit: 4)
        #expect(queue.next(slots) == ["d", "a", "b", "c", "a"])
        for name in ["a", "b", "c"] { queue.add(name, .more) }
        slots.took(Self.delivery, for: .first)
        slots.took(Self.delivery, for: .first)
        #expect(queue.next(slots) == ["a"] && queue.next(slots) == ["b"])
        slots.took(Self.delivery, for: .first)
        #expect(queue.next(slots).isEmpty)
    }

    @Test func whatAnAttemptSaysOfAnEndpoint() {
        func standing(_ status: Int?, _ code: String = "http.timeout", latency: Int64) -> Standing {
            var standing = Standing.new
            let result: Result<OutgoingResponse, ModuleError> = status.map {
                .success(OutgoingResponse(status: $0, headers: [], body: .empty, isTruncated: false))
            } ?? .failure(.transient(code, "no answer"))
            standing.attempted(Answer(result, from: "", now: 0), latency: latency)
            return standing
        }
        #expect(standing(200, latency: 9_000) == .answers && standing(500, latency: 999) == .answers)
        #expect(standing(500, latency: 1_000) == .hangs && standing(504, latency: 9_000) == .hangs)
        #expect(standing(nil, latency: 300) == .hangs && standing(nil, "http.unreachable", latency: 3_000) == .hangs)
        #expect(standing(nil, "http.unreachable", latency: 3) == .new)
    }

    /// Who waits for a slot is woken when there is one, and not by the clock before.
    @Test func aBreakerThatIsDueForAProbeHasNothingToWaitFor() {
        var pace = EndpointPace(
            EndpointPace.Limits(maxInFlight: 16, maxPerSecond: 10, breakerFailures: 1, firstPause: 1_000, longestPause: 1_000), now: 0)
        #expect(pace.nextChange(now: 0) == nil)
        _ = pace.failed(isOverloaded: true, retryAfter: 2_000, now: 0)
        #expect(pace.nextChange(now: 0) == 2_000 && !pace.isReady(inFlight: 0, now: 1_999))
        #expect(pace.nextChange(now: 2_000) == nil && pace.isReady(inFlight: 0, now: 2_000))
        let isAdmitted = pace.admit(inFlight: 0, now: 2_000)
        #expect(isAdmitted && pace.breaker == .probing && !pace.isReady(inFlight: 1, now: 2_000))
        #expect(pace.nextChange(now: 2_000) == 2_100)
    }
}
