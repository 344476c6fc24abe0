import Foundation
import TestSupport
import Testing

@testable import EmbeddedLog

/// Data folders of released format versions, in `Tests/Compatibility`, are opened for ever after.
///
/// A folder `format-N` holds `log`, as a process left it that was killed, and `expected.json`, what has to be found in it.
/// It is never made anew. One for a new version: `MARTLET_FREEZE=format-2 swift test --filter CompatibilityTests`.
@Suite struct CompatibilityTests {
    /// What a folder holds.
    private struct Expected: Codable, Equatable {
        struct Record: Codable, Equatable {
            let offset: Int64
            let timestamp: Int64
            let key: String?
            let value: String?
        }

        struct Partition: Codable, Equatable {
            let topic: String
            let partition: Int32
            let start: Int64
            let end: Int64
            let records: [Record]
        }

        var partitions: [Partition] = []
        /// Group, then topic and partition, to offset.
        var groups: [String: [String: Int64]] = [:]
        var journalEntries = 0
    }

    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Compatibility")
    private static let versions = ((try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []).filter { $0.hasPrefix("format-") }.sorted()

    private func open(_ directory: String) throws -> EmbeddedLog {
        try UnrecoveredLog(
            LogConfiguration(directory: directory, minFreeBytes: 0, journalBytes: 256 << 10, segmentBytes: 4096, maxRecordBytes: 8 << 10, tailCacheBytes: 0),
            clock: ManualClock()
        ).recover(runsThreads: false)
    }

    private func found(_ log: EmbeddedLog) throws -> Expected {
        var found = Expected()
        for topic in log.topics() where !topic.name.hasPrefix("__") {
            for partition in 0..<Int32(topic.partitions) { found.partitions.append(try contents(log, topic.name, partition)) }
        }
        for group in log.groups() {
            for (place, offset) in group.offsets { found.groups[group.name, default: [:]]["\(place.topic)/\(place.partition)"] = offset }
        }
        return found
    }

    private func contents(_ log: EmbeddedLog, _ topic: String, _ partition: Int32) throws -> Expected.Partition {
        let (start, end) = (try log.startOffset(topic, partition), try log.endOffset(topic, partition))
        var records: [Expected.Record] = []
        var offset = start
        while offset < end {
            let chunk = try log.read(topic, partition: partition, from: offset, maxBytes: 2000)
            if chunk.isEmpty { break }
            var cursor = chunk.records()
            while try cursor.next() {
                records.append(
                    .init(
                        offset: cursor.offset, timestamp: cursor.timestamp, key: cursor.key.map { String(decoding: $0, as: UTF8.self) },
                        value: cursor.value.map { String(decoding: $0, as: UTF8.self) }))
            }
            offset = chunk.nextOffset
        }
        return .init(topic: topic, partition: partition, start: start, end: end, records: records)
    }

    @Test func thereIsAFolder() {
        #expect(Self.versions.contains("format-1"))
    }

    @Test(arguments: versions)
    func aFrozenFolderHoldsWhatItHeld(_ version: String) throws {
        let frozen = Self.root.appendingPathComponent(version)
        let expected = try JSONDecoder().decode(Expected.self, from: Data(contentsOf: frozen.appendingPathComponent("expected.json")))
        #expect(expected.partitions.contains { !$0.records.isEmpty })
        let folder = try TemporaryFolder()
        try FileManager.default.copyItem(atPath: frozen.appendingPathComponent("log").path, toPath: folder["log"])
        let report = try LogInspection(directory: folder.path).verify()
        #expect(report.findings == [])
        #expect(report.journalEntries == expected.journalEntries)
        let log = try open(folder.path)
        var now = try found(log)
        now.journalEntries = expected.journalEntries
        #expect(now == expected)
        // Rows of an outbox, a producer's sequence and an event id that the folder knows come again.
        for part in Self.repeated {
            let receipt = try log.appendAndWait([part])[0]
            #expect(receipt.newRecords == 0 && receipt.duplicates == 2, "\(part)")
        }
        log.close()
        #expect(try LogInspection(directory: folder.path).verify().findings == [])
    }

    // MARK: Making one

    private static func numbered(_ producer: BatchProducer = .none, ids: Bool = false) -> RecordBatch {
        var builder = RecordBatchBuilder()
        for number in 1...2 {
            let id = ids ? [RecordHeader(name: "martlet-id", value: "event-\(number)")] : []
            builder.append(timestamp: 1_700_000_000_000, key: nil, value: Array("number \(number)".utf8), headers: id)
        }
        return builder.finish(producer: producer)
    }

    private static var repeated: [PartitionAppend] {
        [
            PartitionAppend(topic: "outbox", partition: 0, records: numbered(), producer: ProducerMark(producerID: 7, rows: [1, 2])),
            PartitionAppend(topic: "sequenced", partition: 0, records: numbered(BatchProducer(id: 9, epoch: 0, baseSequence: 0))),
            PartitionAppend(topic: "once", partition: 0, records: numbered(ids: true)),
        ]
    }

    private func fill(_ log: EmbeddedLog) throws {
        try log.ensureTopic("plain", TopicConfiguration(partitions: 2))
        try log.ensureTopic("compacted", TopicConfiguration(cleanup: .compact, tombstoneMilliseconds: 1))
        try log.ensureTopic("lz4", TopicConfiguration(compression: .lz4))
        try log.ensureTopic("zstd", TopicConfiguration(compression: .zstd))
        try log.ensureTopic("outbox", TopicConfiguration())
        try log.ensureTopic("sequenced", TopicConfiguration())
        try log.ensureTopic("once", TopicConfiguration(deduplication: DeduplicationWindow(events: 100, milliseconds: 315_360_000_000)))
        for part in Self.repeated { _ = try log.appendAndWait([part]) }
        for number in 0..<40 {
            let (text, time) = ("\(number) " + String(repeating: "x", count: 300), 1_700_000_000_000 + Int64(number))
            try log.append("plain", Int32(number % 2), [text, "", "ü"], key: number % 3 == 0 ? nil : "key \(number)", timestamp: time)
            try log.append("compacted", 0, [text], key: "k\(number % 5)", timestamp: time)
            try log.append("lz4", 0, [text, text], timestamp: time)
            try log.append("zstd", 0, [text, text], timestamp: time)
            if number == 30 {
                log.checkpoint()
                log.maintain()
                try log.commitAndWait("readers", "plain", 1, 12)
                log.checkpoint()
            }
            // What is in the segments and in the journal, what is in the journal alone.
            if number == 35 { log.runFlush() }
        }
        try log.commitAndWait("readers", "plain", 0, 17)
        #expect(try contents(log, "compacted", 0).records.count < 40, "it was compacted")
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["MARTLET_FREEZE"] != nil))
    func freeze() throws {
        let name = try #require(ProcessInfo.processInfo.environment["MARTLET_FREEZE"])
        let target = Self.root.appendingPathComponent(name)
        #expect(!FileManager.default.fileExists(atPath: target.path), "a frozen folder is never made anew")
        let folder = try TemporaryFolder()
        let log = try open(folder.path)
        try fill(log)
        var expected = try found(log)
        try FileManager.default.createDirectory(at: target, withIntermediateDirectories: true)
        // As a kill leaves it: the journal has what the segments lack.
        try FileManager.default.copyItem(atPath: folder["log"], toPath: target.appendingPathComponent("log").path)
        try? FileManager.default.removeItem(at: target.appendingPathComponent("log/~lock"))
        try FileManager.default.copyItem(atPath: target.appendingPathComponent("log").path, toPath: folder["copy-log"])
        let copy = try TemporaryFolder()
        try FileManager.default.moveItem(atPath: folder["copy-log"], toPath: copy["log"])
        expected.journalEntries = try LogInspection(directory: copy.path).verify().journalEntries
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(expected).write(to: target.appendingPathComponent("expected.json"))
        log.close()
    }
}
