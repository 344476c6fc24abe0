import Martlet
import Testing

@testable import WebhookPlugin

/// What an endpoint's queue asks for, without I/O and by a clock of the test's own.
@Suite struct EndpointQueueTests {
    private func queue() throws -> EndpointQueue {
        let bounds = EndpointQueue.Bounds(
            heldKeys: 10, disableAfter: 1_000_000, leaseMargin: 0, schedule: RetrySchedule(try RetryConfig(json: "{}")))
        let pace = EndpointPace.Limits(maxInFlight: 16, maxPerSecond: nil, breakerFailures: 10, firstPause: 1_000, longestPause: 1_000)
        let settings = EndpointSettings(name: "one", url: nil, keys: KeyRing([]), pace: pace, state: .active, failingSince: nil)
        let queue = EndpointQueue(settings, bounds, now: Moment(wall: 0, steady: 0))
        queue.setLease(until: 1_000_000, mustGiveBack: false)
        return queue
    }

    private func dueReads(_ queue: EndpointQueue, at now: Int64) -> [Int64] {
        queue.reads(now: Moment(wall: now, steady: now), room: true, mayLoad: true).compactMap { action in
            if case .due(let now, _) = action { now } else { nil }
        }
    }

    /// A head that comes due while another is being read is read next, and not given up because that read did not bring it.
    @Test func aHeadThatIsDueDuringAReadIsReadNext() throws {
        let queue = try queue()
        _ = queue.reads(now: Moment(wall: 0, steady: 0), room: true, mayLoad: true)
        queue.received(held: [HeldDelivery(id: 1, key: "a", dueAt: 10), HeldDelivery(id: 2, key: "b", dueAt: 20)])
        #expect(dueReads(queue, at: 15) == [15])
        #expect(dueReads(queue, at: 25).isEmpty)
        queue.received(
            due: DeliveryReader.Page(deliveries: [WebhookPlugin.Delivery(id: 1, key: "a", messageID: "1", body: "x")], isLast: true))
        #expect(dueReads(queue, at: 26) == [26])
        queue.received(
            due: DeliveryReader.Page(deliveries: [WebhookPlugin.Delivery(id: 2, key: "b", messageID: "2", body: "x")], isLast: true))
        #expect(queue.lanes.loadedCount == 2)
    }

    /// What is noted of a time of failure: its beginning once it lasts or pauses the endpoint, its end at once.
    @Test func aTimeOfFailureIsNotedOnce() {
        var failing = FailingSpell(noted: nil)
        failing.failed(now: 1_000)
        failing.failed(now: 2_000)
        #expect(failing.since == 1_000)
        let notes = [
            failing.mustNote(now: 2_000, isPaused: false), failing.mustNote(now: 2_000, isPaused: true),
            failing.mustNote(now: 3_000, isPaused: true),
        ]
        #expect(notes == [false, true, false])
        failing.succeeded()
        let isEndNoted = failing.mustNote(now: 4_000, isPaused: false)
        #expect(failing.since == nil && isEndNoted)
        failing.failed(now: 5_000)
        let isLastingNoted = failing.mustNote(now: 65_000, isPaused: false)
        #expect(isLastingNoted)
    }
}
