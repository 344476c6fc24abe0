import Foundation
import TestSupport
import Testing

@testable import EmbeddedLog

/// `verify` finds each kind of damage and changes nothing; `repair` leaves a log that opens with all the rest.
@Suite struct InspectionTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }
    private static let segment = "log/t/0/00000000000000000000.log"

    private func open() throws -> EmbeddedLog {
        try UnrecoveredLog(smallConfiguration(folder.path)).recover(runsThreads: false)
    }

    private func inspection() throws -> LogInspection { try LogInspection(directory: folder.path) }

    private func edit(_ name: String, _ body: (inout Data) -> Void) throws {
        let url = URL(fileURLWithPath: folder[name])
        var data = try Data(contentsOf: url)
        body(&data)
        try data.write(to: url)
    }

    private static let closed = Result { try filled(close: true) }
    private static let killed = Result { try filled(close: false) }

    private func fill(close: Bool) throws {
        let made = try (close ? Self.closed : Self.killed).get()
        try FileManager.default.copyItem(atPath: made["log"], toPath: folder["log"])
    }

    /// Two topics, several segments, offsets of a group; the last records only in the journal.
    private static func filled(close: Bool) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let log = try UnrecoveredLog(smallConfiguration(folder.path)).recover(runsThreads: false)
        try log.ensureTopic("t", TopicConfiguration(partitions: 2))
        try log.ensureTopic("other", TopicConfiguration())
        for number in 0..<60 {
            try log.append("t", 0, [value(number)])
            try log.append("t", 1, [value(number)])
            try log.append("other", 0, [value(number)])
            if number == 40 { log.checkpoint() }
        }
        try log.commitAndWait("g", "t", 1, 17)
        if close { log.close() }
        return folder
    }

    private static func value(_ number: Int) -> String { "\(number) " + String(repeating: "x", count: 490) }

    /// All files of the folder but the lock, to see that nothing changed.
    private func contents() throws -> [String: Data] {
        var found: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path) {
            var isFolder: ObjCBool = false
            if FileManager.default.fileExists(atPath: folder[name], isDirectory: &isFolder), !isFolder.boolValue {
                found[name] = try Data(contentsOf: URL(fileURLWithPath: folder[name]))
            }
        }
        return found
    }

    /// Verifies, repairs, verifies again; the findings.
    private func repaired() throws -> [LogFinding] {
        let before = try contents()
        let inspection = try inspection()
        let report = try inspection.verify()
        #expect(try contents() == before, "verify changed something")
        let done = try inspection.repair()
        #expect(done.findings == report.findings)
        let after = try inspection.verify()
        #expect(after.findings == [])
        return report.findings
    }

    private func expectIntact(_ topic: String, _ partition: Int32 = 0, without lost: Range<Int64> = 0..<0) throws {
        let log = try open()
        let expected = (0..<60).filter { !lost.contains(Int64($0)) }.map(Self.value)
        #expect(try log.values(topic, partition) == expected, "\(topic)/\(partition)")
        #expect(try log.append(topic, partition, ["next"]) == 60)
        log.close()
    }

    @Test(arguments: [true, false])
    func aSoundLogHasNoFindings(close: Bool) throws {
        try fill(close: close)
        let report = try inspection().verify()
        #expect(report.findings == [])
        #expect(report.records == (close ? 181 : 41 * 3))
        #expect(report.journalEntries == (close ? 0 : 58))
        #expect(report.topics == 5 && report.partitions == 6)
        #expect(report.wasClosed == close)
    }

    @Test func aRunningLogIsRefused() throws {
        try fill(close: true)
        let log = try open()
        let error = #expect(throws: LogError.self) { _ = try inspection() }
        #expect(error?.code == .locked)
        log.close()
        #expect(throws: LogError.self) { _ = try LogInspection(directory: folder["nowhere"]) }
    }

    /// A bit anywhere in a batch: the batch is given up, the others stay.
    @Test(arguments: [0, 7, 9, 11, 16, 18, 22, 26, 30, 60, 61, 300])
    func aDamagedBatchIsGivenUpAlone(position: Int) throws {
        try fill(close: true)
        let size = try Data(contentsOf: URL(fileURLWithPath: folder[Self.segment])).count
        let batch = size / 14
        try edit(Self.segment) { $0[3 * batch + position] ^= 0x11 }
        let findings = try repaired()
        try #require(findings.count == 1)
        #expect(findings[0].subject == .segment && findings[0].path == folder[Self.segment])
        #expect(findings[0].bytes?.contains(Int64(3 * batch)) == true)
        #expect(findings[0].losses == [.init(topic: "t", partition: 0, offsets: 3..<4, isUpperBound: false)])
        try expectIntact("t", 0, without: 3..<4)
        try expectIntact("t", 1)
    }

    @Test func readersNameAMovedBatchAndAMissingTail() throws {
        try fill(close: true)
        try edit(Self.segment) { $0[7] ^= 1 }
        do {
            let log = try open()
            let error = #expect(throws: LogError.self) { _ = try log.values("t") }
            #expect(error?.message.contains("a batch with base offset 1 lies where 0 belongs") == true)
            #expect(error?.message.contains("martlet log repair") == true)
            log.close()
        }
        try edit(Self.segment) { $0[7] ^= 1 }
        try edit(Self.segment) { $0.removeLast($0.count / 2) }
        try? FileManager.default.removeItem(atPath: folder["log/t/0/00000000000000000000.index"])
        let log = try open()
        let error = #expect(throws: LogError.self) { _ = try log.values("t") }
        #expect(error?.code == .damaged)
        #expect(error?.path == folder[Self.segment])
        log.close()
    }

    @Test(arguments: [true, false])
    func aMissingSegmentAndAShortOneAreNamed(close: Bool) throws {
        try fill(close: close)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder["log/t/0"]).filter { $0.hasSuffix(".log") }.sorted()
        let bases = names.compactMap { Segment.base($0, ".log") }
        try FileManager.default.removeItem(atPath: folder["log/t/0/" + names[1]])
        try edit("log/t/1/00000000000000000000.log") { $0.removeLast(20) }
        let findings = try repaired()
        #expect(findings.flatMap(\.losses) == [
            .init(topic: "t", partition: 0, offsets: bases[1]..<bases[2], isUpperBound: false),
            .init(topic: "t", partition: 1, offsets: (bases[1] - 1)..<bases[1], isUpperBound: false),
        ])
        try expectIntact("t", 0, without: bases[1]..<bases[2])
        try expectIntact("t", 1, without: (bases[1] - 1)..<bases[1])
    }

    /// The journal file that has the entry of a cycle, and where it lies.
    private func entry(cycle: UInt64) throws -> (file: String, place: Int) {
        for number in 0..<Journal.fileCount {
            let file = "log/~journal/\(number).journal"
            guard let data = try? Data(contentsOf: URL(fileURLWithPath: folder[file])) else { continue }
            let bytes = [UInt8](data)
            let generation = JournalFileHeader(bytes)?.generation
            for place in stride(from: JournalFormat.block, to: bytes.count, by: JournalFormat.block) {
                let header = bytes[place...].withUnsafeBytes { JournalEntryHeader($0) }
                if let header, header.generation == generation, header.cycle == cycle { return (file, place) }
            }
        }
        throw LogError(.damaged, "no entry of cycle \(cycle)")
    }

    /// Entry by entry t/0, t/1, other/0; the checkpoint came after number 40.
    @Test(arguments: [0, 16, 32, 64, 80, 200])
    func aDamagedJournalEntryIsGivenUpAlone(position: Int) throws {
        try fill(close: false)
        // The entry of t/0 with number 50.
        let (file, place) = try entry(cycle: 3 * 50 + 1)
        try edit(file) { $0[place + position] ^= 0x10 }
        let error = #expect(throws: LogError.self) { _ = try open() }
        #expect(error?.code == .damaged)
        #expect(error?.message.contains("martlet log verify") == true)
        let findings = try repaired()
        try #require(findings.count == 1)
        #expect(findings[0].subject == .journal)
        #expect(findings[0].bytes == Int64(place)..<Int64(place + JournalFormat.block))
        #expect(findings[0].losses == [.init(topic: "t", partition: 0, offsets: 50..<51, isUpperBound: false)])
        try expectIntact("t", 0, without: 50..<51)
        try expectIntact("t", 1)
        try expectIntact("other")
        let log = try open()
        #expect(log.committedOffset(group: "g", topic: "t", partition: 1) == 17)
    }

    @Test func whatTheSegmentsHoldIsNotLostWithTheJournal() throws {
        let log = try open()
        try log.ensureTopic("t", TopicConfiguration())
        for number in 0..<60 { try log.append("t", 0, [Self.value(number)]) }
        log.runFlush()
        let (file, place) = try entry(cycle: 30)
        try edit(file) { $0[place + 100] ^= 1 }
        withExtendedLifetime(log) {}
        try expectLost(nothing: log)
    }

    private func expectLost(nothing log: consuming EmbeddedLog) throws {
        log.fail(LogError(.io, "as if killed"))
        log.close()
        let findings = try repaired()
        #expect(findings.count == 1 && findings[0].losses == [])
        try expectIntact("t")
    }

    @Test func aLostJournalHeaderLosesNothing() throws {
        try fill(close: false)
        let (file, _) = try entry(cycle: 151)
        try edit(file) { $0[20] ^= 1 }
        #expect(throws: LogError.self) { _ = try open() }
        let findings = try repaired()
        #expect(findings.map(\.subject) == [.journal] && findings[0].losses == [])
        for partition in 0..<2 { try expectIntact("t", Int32(partition)) }
    }

    @Test(arguments: [true, false], [true, false])
    func aLostCheckpointIsRebuilt(close: Bool, remove: Bool) throws {
        try fill(close: close)
        if remove {
            try FileManager.default.removeItem(atPath: folder["log/~checkpoint"])
        } else {
            try edit("log/~checkpoint") { $0[40] ^= 1 }
        }
        let findings = try repaired()
        #expect(findings.map(\.subject) == [.checkpoint] && findings[0].losses == [])
        for partition in 0..<2 { try expectIntact("t", Int32(partition)) }
        try expectIntact("other")
        let log = try open()
        #expect(log.committedOffset(group: "g", topic: "t", partition: 1) == 17)
    }

    @Test func aLostTopicFileIsWrittenAnew() throws {
        try fill(close: true)
        try FileManager.default.removeItem(atPath: folder["log/t/topic"])
        let findings = try repaired()
        #expect(findings.map(\.subject) == [.topic])
        for partition in 0..<2 { try expectIntact("t", Int32(partition)) }
        let log = try open()
        #expect(log.committedOffset(group: "g", topic: "t", partition: 1) == 17, "it kept its identity")
    }

    @Test func aLostTopicIsNamed() throws {
        try fill(close: true)
        try FileManager.default.removeItem(atPath: folder["log/t"])
        let findings = try repaired()
        #expect(findings.count == 1 && findings[0].lostRecords == 120)
        try expectIntact("other")
        let log = try open()
        #expect(!log.topics().contains { $0.name == "t" })
    }

    @Test func strangersArePutAside() throws {
        try fill(close: true)
        try Data("stranger".utf8).write(to: URL(fileURLWithPath: folder["log/t/0/00000000000000000900.log"]))
        try FileManager.default.createDirectory(atPath: folder["log/notes"], withIntermediateDirectories: true)
        let findings = try repaired()
        #expect(findings.map(\.subject) == [.topic, .segment])
        #expect(findings.flatMap(\.losses) == [])
        try expectIntact("t")
        #expect(FileManager.default.fileExists(atPath: folder["log/~stray-notes"]))
    }

    @Test func anIndexThatLiesIsFound() throws {
        try fill(close: true)
        let path = "log/t/0/00000000000000000000.index"
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder[path])))
        let right = try #require(SegmentIndex(bytes))
        var wrong = SegmentIndex()
        wrong.add(relativeOffset: 3, bytes: right.coveredBytes, maxTimestamp: right.maxTimestamp)
        try Data(wrong.encoded()).write(to: URL(fileURLWithPath: folder[path]))
        #expect(try repaired().map(\.subject) == [.index])
        try expectIntact("t")
    }

    @Test func aRecordThatLooksLikeABatchIsNotTakenForOne() throws {
        let log = try open()
        try log.ensureTopic("t", TopicConfiguration())
        for number in 0..<10 { try log.append("t", 0, ["\(number)"]) }
        // A whole batch inside a record, with an offset that would fit.
        var inner = batch(["inner"]).withBytes { Array($0) }
        inner[7] = 12
        var builder = RecordBatchBuilder()
        builder.append(timestamp: 1, key: nil, value: inner + [UInt8](repeating: 0, count: 100))
        _ = try log.appendAndWait([PartitionAppend(topic: "t", partition: 0, records: builder.finish())])
        for number in 11..<20 { try log.append("t", 0, ["\(number)"]) }
        log.close()
        let all = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder[Self.segment])))
        let start = try #require((0..<all.count).first { all[$0...].starts(with: inner) })
        // In the outer batch, before the inner one.
        try edit(Self.segment) { $0[start - 10] ^= 1 }
        #expect(try repaired().flatMap(\.losses).map(\.offsets) == [10..<11])
        let again = try open()
        #expect(try again.values("t") == (0..<20).filter { $0 != 10 }.map(String.init))
        again.close()
    }

    @Test func anInterruptedRepairIsFinished() throws {
        try fill(close: false)
        try edit(Self.segment) { $0[700] ^= 1 }
        try Data().write(to: URL(fileURLWithPath: folder["log/~repairing"]))
        let error = #expect(throws: LogError.self) { _ = try open() }
        #expect(error?.message.contains("a repair of this log was interrupted") == true)
        let findings = try repaired()
        #expect(findings.flatMap(\.losses).map(\.offsets) == [1..<2])
        try expectIntact("t", 0, without: 1..<2)
        try expectIntact("t", 1)
    }
}
