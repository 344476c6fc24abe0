@testable import Benchmarks
import Testing

/// A benchmark that counts lost and duplicate messages must notice them.
@Suite struct BenchCountingTests {
    private func work(users: Int = 2) -> FlowWork {
        var work = FlowWork(capacity: 8, userCount: users)
        work.firstMeasured = 0
        return work
    }

    private func notify(_ work: inout FlowWork, _ like: Int, stream: Int, now: Int64 = 30) {
        work.received(LikeTemplate.firstPost + like, stream: stream, now: now)
    }

    @Test func allIsWell() {
        var work = work()
        for like in 0..<4 {
            work.answered(like, status: 201, sentAt: 10, now: 20)
            notify(&work, like, stream: like % 2)
        }
        #expect(work.isComplete)
        let outcome = work.outcome
        #expect(outcome.accepted == 4)
        #expect(outcome.lost + outcome.duplicate + outcome.unexpected + outcome.refused == 0)
        #expect(work.streamLatencies.count == 4)
    }

    @Test func aMissingNotificationIsLost() {
        var work = work()
        for like in 0..<3 { work.answered(like, status: 201, sentAt: 10, now: 20) }
        notify(&work, 0, stream: 0)
        notify(&work, 2, stream: 0)
        #expect(!work.isComplete)
        #expect(work.outcome.lost == 1)
    }

    @Test func aSecondNotificationIsADuplicate() {
        var work = work()
        work.answered(0, status: 201, sentAt: 10, now: 20)
        for _ in 0..<3 { notify(&work, 0, stream: 0) }
        #expect(work.outcome.duplicate == 2)
        #expect(work.streamLatencies.count == 1)
    }

    @Test func theWrongStreamAndARefusedLikeAreUnexpected() {
        var work = work()
        work.answered(0, status: 201, sentAt: 10, now: 20)
        notify(&work, 0, stream: 1)
        work.answered(1, status: 503, sentAt: 10, now: 20)
        notify(&work, 1, stream: 1)
        let outcome = work.outcome
        #expect(outcome.unexpected == 2)
        #expect(outcome.lost == 1)
        #expect(outcome.refused == 1)
    }

    @Test func aNotificationMayBeFasterThanTheAnswer() {
        var work = work()
        notify(&work, 0, stream: 0, now: 15)
        work.answered(0, status: 201, sentAt: 10, now: 20)
        #expect(work.outcome.lost == 0)
        #expect(work.streamLatencies.sorted().percentile(1) == 5 / 1e6)
    }

    @Test func markersAreFoundHoweverTheTextIsCut() {
        let marker = Array(#""n":"#.utf8)
        let text = Array(#"id: 1\ndata: {"n":17,"x":"\"n\""}\n\n7\r\ndata: {"n":2048}\n\n"n":3,"#.utf8)
        for first in 0...text.count {
            for second in first...min(text.count, first + 12) {
                var numbers: [Int] = []
                var carry: [UInt8] = []
                for piece in [text[..<first], text[first..<second], text[second...]] {
                    let seen = carry + piece
                    let rest = seen.withUnsafeBytes { MarkerScanner.scan($0, for: marker) { numbers.append($0) } }
                    carry = Array(seen[max(0, rest)...])
                }
                #expect(numbers == [17, 2048, 3], "cut at \(first) and \(second)")
            }
        }
    }

    @Test func percentilesAreExact() {
        var latencies = Latencies()
        for value in (1...200).shuffled() { latencies.add(Int64(value) * 1_000_000) }
        let sorted = latencies.sorted()
        #expect(sorted.percentile(0.5) == 100)
        #expect(sorted.percentile(0.99) == 198)
        #expect(sorted.percentile(1) == 200)
    }

    @Test func aPromiseThatIsBrokenOnceIsBroken() {
        var report = BenchmarkReport("x")
        report.addPromise("lost", 0)
        #expect(report.keepsPromises)
        report.addPromise("lost", 1)
        report.addPromise("lost", 0)
        #expect(!report.keepsPromises)
    }
}
