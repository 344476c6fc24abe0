import Martlet
import MartletTesting
import Pipelines
import Testing

@testable import FiltersPlugin

@Suite struct ThrottleTests {
    private func record(_ offset: Offset, user: String = "ana") -> Record {
        Record(topic: "t", partition: 0, offset: offset, event: Event(id: "id", key: nil, payload: Bytes("{\"user\":\"\(user)\"}"), timestamp: 0))
    }

    private func make(_ config: String, _ host: TestHost = TestHost(payloads: SimdjsonPayloadReader())) throws -> ThrottleTransform {
        try host.make(ThrottleTransform.self, config)
    }

    @Test func aBucketRefillsSteadily() {
        var buckets = TokenBuckets(rate: 10, burst: 5, limit: 10)
        let start = ContinuousClock.now
        func take(_ count: Int, _ key: Bytes, after time: Duration) -> Int {
            (0..<count).count { _ in buckets.take(key, at: start + time) }
        }
        let taken = [
            take(7, "a", after: .zero), take(3, "a", after: .milliseconds(210)),
            // However long it is quiet, no more than the burst is there.
            take(7, "a", after: .seconds(100)), take(1, "b", after: .zero),
        ]
        #expect(taken == [5, 2, 5, 1])
    }

    @Test func reservationsLineUp() {
        var buckets = TokenBuckets(rate: 10, burst: 2, limit: 10)
        let start = ContinuousClock.now
        let waits = (0..<5).map { _ in buckets.reserve("a", at: start) }
        #expect(waits == [.zero, .zero, .milliseconds(100), .milliseconds(200), .milliseconds(300)])
        let later = buckets.reserve("a", at: start + .milliseconds(300))
        #expect(later == .milliseconds(100))
    }

    @Test func bucketsStayBounded() {
        var buckets = TokenBuckets(rate: 1, burst: 1, limit: 50)
        let start = ContinuousClock.now
        for number in 0..<10_000 {
            _ = buckets.take(Bytes("key-\(number)"), at: start)
            _ = buckets.take("hot", at: start)
        }
        #expect(buckets.count == 50)
        // The one in use was never forgotten.
        let isFull = buckets.take("hot", at: start)
        #expect(!isFull)
    }

    @Test func dropCountsWhatItDrops() async throws {
        let host = TestHost(payloads: SimdjsonPayloadReader())
        let throttle = try make(#"{"rate_events": 2, "interval_ms": 3600000, "policy": "drop", "key": "${/user}"}"#, host)
        let users = ["ana", "ana", "ben", "ana", "ben", "ben"]
        let results = try await throttle.apply(to: users.enumerated().map { record(Offset($0.offset), user: $0.element) })
        let kept = results.compactMap { if case .keep(let record) = $0 { record.offset } else { nil } }
        #expect(kept == [0, 1, 2, 4])
        #expect(host.metrics.render().contains(#"martlet_throttle_dropped_total{module="test"} 2"#))
    }

    @Test func holdKeepsAllAndCanBeCancelled() async throws {
        let throttle = try make(#"{"rate_events": 1, "interval_ms": 3600000, "burst_events": 3}"#)
        let results = try await throttle.apply(to: (0..<3).map { record($0) })
        #expect(results.count == 3)
        let waiting = Task { try await throttle.apply(to: [record(3)]) }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
    }
}
