import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EmbeddedLog

@Suite struct CompactionTests {
    let folder: TemporaryFolder
    let clock = ManualClock()

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open() throws -> EmbeddedLog {
        var configuration = smallConfiguration(folder.path)
        // Reads at the tail come from memory, where nothing is compacted.
        configuration.tailCacheBytes = 0
        let log = try UnrecoveredLog(configuration, clock: clock).recover(runsThreads: false)
        try log.ensureTopic("t", TopicConfiguration(cleanup: .compact, tombstoneMilliseconds: 60_000))
        return log
    }

    private func latest(_ log: EmbeddedLog) throws -> [String: String?] {
        var result: [String: String?] = [:]
        var offset = try log.startOffset("t", 0)
        while offset < log.partitionEnd("t") {
            let chunk = try log.read("t", partition: 0, from: offset, maxBytes: 3000)
            var cursor = chunk.records()
            while try cursor.next() {
                let key = String(decoding: try #require(cursor.key), as: UTF8.self)
                result.updateValue(cursor.value.map { String(decoding: $0.prefix(8), as: UTF8.self) }, forKey: key)
            }
            offset = chunk.nextOffset
        }
        return result
    }

    private func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder["log/t/0"]).filter { $0.hasSuffix(".log") }.sorted()
    }

    private func fill(_ log: EmbeddedLog, _ numbers: Range<Int>, keys: Int) throws {
        for number in numbers {
            let text = String(repeating: " ", count: 500)
            try log.append("t", 0, [String(format: "%08d", number) + text], key: "k\(number % keys)", timestamp: clock.now())
        }
    }

    @Test func newestOfEachKeyStaysAndReadersGoOn() throws {
        let log = try open()
        try fill(log, 0..<200, keys: 7)
        let expected = try latest(log)
        log.checkpoint()
        let before = try files().count
        let held = try log.read("t", partition: 0, from: 0, maxBytes: 2000)
        log.maintain()
        #expect(try files().count < before / 3)
        #expect(try latest(log) == expected)
        #expect(try log.endOffset("t", 0) == 200)
        #expect(try log.startOffset("t", 0) == 0)
        var cursor = held.records()
        #expect(try cursor.next())
        #expect(cursor.offset == 0)
        log.close()
        let again = try open()
        #expect(try latest(again) == expected)
        #expect(try again.append("t", 0, ["x"], key: "k") == 200)
        #expect(again.maintenanceTroubles() == [])
    }

    @Test func tombstonesGoAfterTheirTime() throws {
        let log = try open()
        try fill(log, 0..<40, keys: 4)
        var builder = RecordBatchBuilder()
        builder.append(timestamp: clock.now(), key: Array("k1".utf8), value: nil)
        _ = try log.appendAndWait([PartitionAppend(topic: "t", partition: 0, records: builder.finish())])
        try fill(log, 40..<41, keys: 1)
        for number in 0..<20 { try log.append("t", 0, [String(repeating: "y", count: 1000)], key: "other\(number % 2)", timestamp: clock.now()) }
        log.checkpoint()
        log.maintain()
        #expect(try latest(log)["k1"] == .some(nil))
        clock.advance(milliseconds: 61_000)
        for _ in 0..<30 { try log.append("t", 0, [String(repeating: "y", count: 1000)], key: "other", timestamp: clock.now()) }
        log.checkpoint()
        log.maintain()
        #expect(try latest(log)["k1"] == nil)
        #expect(try latest(log)["k2"] != nil)
        #expect(log.maintenanceTroubles() == [])
    }

    @Test func offsetsOfGroupsStayWhileTheirTopicShrinks() throws {
        let log = try open()
        for number in 0..<60_000 where number % 2 == 0 {
            log.commitOffsets(group: "g\(number % 6)", [("t", 0, Int64(number))]) { _ in }
            if number % 1000 == 0 { log.runCommitCycle() }
        }
        log.runCommitCycle()
        log.checkpoint()
        let partition = try log.partition("__consumer_offsets", 0)
        let size = { partition.state.withLock { $0.segments.reduce(0) { $0 + $1.size } } }
        let before = size()
        log.maintain()
        #expect(size() < before / 2)
        #expect(log.maintenanceTroubles() == [])
        log.close()
        let again = try open()
        #expect(again.committedOffset(group: "g4", topic: "t", partition: 0) == 59_998)
        #expect(again.groups().count == 3)
    }
}

extension EmbeddedLog {
    fileprivate func partitionEnd(_ topic: String) -> Int64 { (try? endOffset(topic, 0)) ?? 0 }
}
