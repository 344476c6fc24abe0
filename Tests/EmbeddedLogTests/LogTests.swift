import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EmbeddedLog

@Suite struct LogTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open(_ change: (inout LogConfiguration) -> Void = { _ in }) throws -> EmbeddedLog {
        var configuration = smallConfiguration(folder.path)
        change(&configuration)
        return try UnrecoveredLog(configuration).recover()
    }

    @Test func appendedRecordsAreReadInOrder() throws {
        let log = try open()
        defer { log.close() }
        try log.ensureTopic("likes", TopicConfiguration(partitions: 2))
        #expect(try log.append("likes", 0, ["a", "b"]) == 0)
        #expect(try log.append("likes", 0, ["c"]) == 2)
        #expect(try log.append("likes", 1, ["z"]) == 0)
        #expect(try log.values("likes", 0) == ["a", "b", "c"])
        #expect(try log.values("likes", 0, from: 1) == ["b", "c"])
        #expect(try log.values("likes", 1) == ["z"])
        #expect(try log.endOffset("likes", 0) == 3)
    }

    @Test func severalPartitionsInOneAppend() throws {
        let log = try open()
        defer { log.close() }
        try log.ensureTopic("t", TopicConfiguration(partitions: 3))
        let receipts = try log.appendAndWait([
            PartitionAppend(topic: "t", partition: 2, records: batch(["a", "b"])),
            PartitionAppend(topic: "t", partition: 0, records: batch(["c"])),
            PartitionAppend(topic: "t", partition: 2, records: batch(["d"])),
        ])
        #expect(receipts.map(\.baseOffset) == [0, 0, 2])
        #expect(try log.values("t", 2) == ["a", "b", "d"])
    }

    @Test func everythingIsThereAfterACleanStop() throws {
        var expected: [String] = []
        let incarnation: String
        do {
            let log = try open()
            incarnation = try log.ensureTopic("t", TopicConfiguration()).incarnation
            for number in 0..<500 {
                expected.append("value \(number) " + String(repeating: "x", count: number % 90))
                try log.append("t", 0, [expected[number]], timestamp: Int64(number))
            }
            try log.commitAndWait("group", "t", 0, 77)
            log.close()
        }
        let log = try open()
        defer { log.close() }
        #expect(log.topics().first { $0.name == "t" }?.incarnation == incarnation)
        #expect(try log.values("t") == expected)
        #expect(try log.values("t", from: 250) == Array(expected[250...]))
        #expect(log.committedOffset(group: "group", topic: "t", partition: 0) == 77)
        #expect(try log.offset("t", 0, atOrAfter: 300) == 300)
        #expect(try log.offset("t", 0, atOrAfter: 5000) == nil)
        #expect(try log.append("t", 0, ["next"]) == 500)
        #expect(FileManager.default.fileExists(atPath: folder["log/t/0/00000000000000000000.index"]))
    }

    @Test func secondLogOnTheSameFolderIsRefused() throws {
        let log = try open()
        defer { log.close() }
        let error = #expect(throws: LogError.self) { _ = try open() }
        #expect(error?.code == .locked)
        #expect(error?.message.contains("another host") == true)
    }

    @Test func folderThatCannotBeWrittenIsNamed() {
        let error = #expect(throws: LogError.self) {
            _ = try UnrecoveredLog(smallConfiguration("/proc/nowhere")).recover()
        }
        #expect(error?.path?.hasPrefix("/proc/nowhere") == true)
    }

    @Test func outOfRangeReadsSayTheRange() throws {
        let log = try open()
        defer { log.close() }
        try log.ensureTopic("t", TopicConfiguration())
        try log.append("t", 0, ["a"])
        let error = #expect(throws: LogError.self) { _ = try log.read("t", partition: 0, from: 5, maxBytes: 100) }
        #expect(error?.code == .offsetOutOfRange(start: 0, end: 1))
        #expect(try log.read("t", partition: 0, from: 1, maxBytes: 100).isEmpty)
        #expect(throws: LogError.self) { _ = try log.read("t", partition: 1, from: 0, maxBytes: 100) }
        #expect(throws: LogError.self) { _ = try log.read("nope", partition: 0, from: 0, maxBytes: 100) }
    }

    @Test func recordsOverTheLimitAreRefused() throws {
        let log = try open { $0.maxRecordBytes = 1000 }
        defer { log.close() }
        try log.ensureTopic("t", TopicConfiguration())
        let error = #expect(throws: LogError.self) { try log.append("t", 0, [String(repeating: "x", count: 1001)]) }
        #expect(error?.code == .recordTooLarge)
        let large = (0..<400).map { _ in String(repeating: "x", count: 900) }
        let second = #expect(throws: LogError.self) { try log.append("t", 0, large) }
        #expect(second?.code == .appendTooLarge)
    }

    @Test func fewerPartitionsAreANamedProblem() throws {
        let log = try open()
        defer { log.close() }
        try log.ensureTopic("t", TopicConfiguration(partitions: 3))
        let error = #expect(throws: LogError.self) { try log.ensureTopic("t", TopicConfiguration(partitions: 2)) }
        #expect(error?.code == .fewerPartitions)
        #expect(error?.message.contains("has 3 partitions on disk, and 2 are asked for") == true)
        #expect(try log.ensureTopic("t", TopicConfiguration(partitions: 5)).partitions == 5)
        try log.append("t", 4, ["new"])
        #expect(try log.values("t", 4) == ["new"])
    }

    @Test func wakesOnceWhenDataIsThere() throws {
        let log = try open()
        defer { log.close() }
        try log.ensureTopic("t", TopicConfiguration())
        let count = Monitor(0)
        let wake: @Sendable () -> Void = {
            count.withLock { $0 += 1 }
            count.signalAll()
        }
        _ = try log.onData("t", partition: 0, from: 1, wake)
        let cancelled = try log.onData("t", partition: 0, from: 0) { Issue.record("a cancelled wait woke") }
        cancelled.cancel()
        try log.append("t", 0, ["a"])
        #expect(count.withLock { $0 } == 0)
        try log.append("t", 0, ["b"])
        count.wait { $0 == 1 ? () : nil }
        try log.append("t", 0, ["c"])
        #expect(count.withLock { $0 } == 1)
        _ = try log.onData("t", partition: 0, from: 0, wake)
        #expect(count.withLock { $0 } == 2)
    }

    @Test func producerReplayIsRecognised() throws {
        func send(_ log: EmbeddedLog, _ values: [String], rows: [Int64]) throws -> AppendReceipt {
            let mark = ProducerMark(producerID: 9, rows: rows)
            return try log.appendAndWait([PartitionAppend(topic: "t", partition: 0, records: batch(values), producer: mark)])[0]
        }
        do {
            let log = try open()
            try log.ensureTopic("t", TopicConfiguration())
            #expect(try send(log, ["a", "b"], rows: [1, 2]) == AppendReceipt(baseOffset: 0, newRecords: 2, duplicates: 0))
            #expect(try send(log, ["a", "b"], rows: [1, 2]) == AppendReceipt(baseOffset: -1, newRecords: 0, duplicates: 2, earlierRows: 2))
            log.close()
        }
        let log = try open()
        defer { log.close() }
        #expect(try send(log, ["b", "c", "d"], rows: [2, 5, 6]) == AppendReceipt(baseOffset: 2, newRecords: 2, duplicates: 1, earlierRows: 1))
        #expect(try log.values("t") == ["a", "b", "c", "d"])
        let error = #expect(throws: LogError.self) { _ = try send(log, ["x", "y"], rows: [9, 8]) }
        #expect(error?.code == .invalidAppend)
    }

    @Test func groupsAreIndependentAndCanBeDeleted() throws {
        let log = try open()
        defer { log.close() }
        try log.ensureTopic("t", TopicConfiguration(partitions: 2))
        try log.commitAndWait("a", "t", 0, 10)
        try log.commitAndWait("a", "t", 1, 20)
        try log.commitAndWait("b", "t", 0, 5)
        try log.commitAndWait("a", "t", 0, 3)
        #expect(log.groups().map(\.name) == ["a", "b"])
        #expect(log.committedOffset(group: "a", topic: "t", partition: 0) == 3)
        let gone = Monitor(false)
        log.deleteGroup("a") { _ in
            gone.withLock { $0 = true }
            gone.signalAll()
        }
        gone.wait { $0 ? () : nil }
        #expect(log.groups().map(\.name) == ["b"])
    }

    @Test func deletedTopicIsGoneWithItsOffsets() throws {
        do {
            let log = try open()
            let first = try log.ensureTopic("t", TopicConfiguration())
            try log.append("t", 0, ["a"])
            try log.commitAndWait("g", "t", 0, 1)
            try log.deleteTopic("t")
            #expect(throws: LogError.self) { try log.append("t", 0, ["b"]) }
            #expect(log.groups().isEmpty)
            let second = try log.ensureTopic("t", TopicConfiguration())
            #expect(first.incarnation != second.incarnation)
            #expect(try log.append("t", 0, ["new"]) == 0)
            log.close()
        }
        let log = try open()
        defer { log.close() }
        #expect(try log.values("t") == ["new"])
        #expect(log.committedOffset(group: "g", topic: "t", partition: 0) == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder["log"]).filter { $0.hasPrefix("~deleted") } == [])
    }

    @Test func appendsAfterCloseAreRefused() throws {
        let log = try open()
        try log.ensureTopic("t", TopicConfiguration())
        log.close()
        log.close()
        let error = #expect(throws: LogError.self) { try log.append("t", 0, ["a"]) }
        #expect(error?.code == .closed)
    }

    @Test func manyThreadsAppendAndEachSeesItsOrder() throws {
        let log = try open { $0.journalBytes = 2 << 20 }
        defer { log.close() }
        try log.ensureTopic("t", TopicConfiguration(partitions: 4))
        let threads = 8
        let each = 200
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            for number in 0..<each {
                do {
                    try log.append("t", Int32(thread % 4), ["\(thread):\(number):" + String(repeating: "p", count: 200)])
                } catch {
                    Issue.record(error)
                }
            }
        }
        var total = 0
        for partition in 0..<4 {
            var last = [Int](repeating: -1, count: threads)
            for value in try log.values("t", Int32(partition)) {
                let parts = value.split(separator: ":")
                let thread = Int(parts[0])!
                #expect(Int(parts[1])! == last[thread] + 1)
                last[thread] += 1
                total += 1
            }
        }
        #expect(total == threads * each)
    }

    @Test(arguments: [Acknowledgement.written, .enqueued])
    func weakerLevelsKeepRecordsOverACleanStop(level: Acknowledgement) throws {
        do {
            let log = try open { $0.acknowledge = level }
            try log.ensureTopic("t", TopicConfiguration())
            for number in 0..<100 { try log.append("t", 0, ["\(number)"]) }
            log.close()
        }
        let log = try open { $0.acknowledge = level }
        defer { log.close() }
        #expect(try log.values("t") == (0..<100).map { "\($0)" })
    }
}
