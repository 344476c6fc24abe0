import TestSupport
import Testing

@testable import EmbeddedLog

@Suite struct RetentionTests {
    let folder: TemporaryFolder
    let clock = ManualClock()

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open() throws -> EmbeddedLog {
        try UnrecoveredLog(smallConfiguration(folder.path), clock: clock).recover(runsThreads: false)
    }

    private func fill(_ log: EmbeddedLog, _ numbers: Range<Int>) throws {
        for number in numbers { try log.append("t", 0, ["\(number) " + String(repeating: "x", count: 990)], timestamp: clock.now()) }
    }

    @Test func oldSegmentsGoBySize() throws {
        let log = try open()
        try log.ensureTopic("t", TopicConfiguration(retentionBytes: 20_000))
        try fill(log, 0..<100)
        let held = try log.read("t", partition: 0, from: 0, maxBytes: 2000)
        log.checkpoint()
        log.maintain()
        let start = try log.startOffset("t", 0)
        #expect(start > 60 && start < 90)
        let error = #expect(throws: LogError.self) { _ = try log.read("t", partition: 0, from: 0, maxBytes: 100) }
        #expect(error?.code == .offsetOutOfRange(start: start, end: 100))
        #expect(try log.values("t").count == Int(100 - start))
        var cursor = held.records()
        #expect(try cursor.next())
        log.close()
        let again = try open()
        #expect(try again.startOffset("t", 0) == start)
        #expect(try again.values("t").count == Int(100 - start))
        again.close()
    }

    @Test func oldSegmentsGoByAgeAndTheLastOneToo() throws {
        let log = try open()
        try log.ensureTopic("t", TopicConfiguration(retentionMilliseconds: 60_000))
        try fill(log, 0..<30)
        clock.advance(milliseconds: 50_000)
        try fill(log, 30..<40)
        clock.advance(milliseconds: 20_000)
        log.checkpoint()
        log.maintain()
        #expect(try log.startOffset("t", 0) == 30)
        clock.advance(milliseconds: 120_000)
        for _ in 0..<4 {
            log.checkpoint()
            log.maintain()
            log.runCommitCycle()
        }
        #expect(try log.startOffset("t", 0) == 40)
        #expect(try log.endOffset("t", 0) == 40)
        log.close()
        let again = try open()
        #expect(try again.startOffset("t", 0) == 40)
        #expect(try again.append("t", 0, ["on"]) == 40)
        again.close()
    }
}
