import Martlet
import Testing

@testable import Pipelines

struct BackoffTests {
    @Test func waitsDoubleUpToTheMaximumWithJitterBelow() {
        for _ in 0..<50 {
            var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(1))
            for step in [100, 200, 400, 800, 1000, 1000, 1000] {
                let wait = backoff.next()
                #expect(wait >= .milliseconds(step / 2))
                #expect(wait <= .milliseconds(step))
            }
        }
    }

    /// What comes back after a long outage is found within seconds.
    @Test func nobodyWaitsLongByDefault() {
        var backoff = Backoff()
        for _ in 0..<20 { #expect(backoff.next() <= .seconds(5)) }
        #expect(GroupSettings(name: "g", topics: []).retryMaximum == .seconds(5))
    }

    @Test func jitterSpreads() {
        let waits = Set((0..<20).map { _ in
            var backoff = Backoff()
            return backoff.next()
        })
        #expect(waits.count > 10)
    }

    @Test func theOtherSideMayAskForMore() {
        var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(1))
        #expect(backoff.next(atLeast: .seconds(60)) == .seconds(60))
        #expect(backoff.next(atLeast: .milliseconds(1)) <= .milliseconds(200))
    }

    @Test func aSuccessStartsOver() {
        var backoff = Backoff(initial: .milliseconds(100), maximum: .seconds(1))
        for _ in 0..<5 { _ = backoff.next() }
        backoff.reset()
        #expect(backoff.next() <= .milliseconds(100))
    }

    @Test func anInitialWaitAboveTheMaximumIsCut() {
        var backoff = Backoff(initial: .seconds(10), maximum: .seconds(1))
        #expect(backoff.next() <= .seconds(1))
    }
}
