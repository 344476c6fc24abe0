import Foundation
import TestSupport
import Testing

@testable import EmbeddedLog

/// Logs here run no threads: letting one go without `close` is what `kill -9` leaves behind.
@Suite struct RecoveryTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open(_ change: (inout LogConfiguration) -> Void = { _ in }) throws -> EmbeddedLog {
        var configuration = smallConfiguration(folder.path)
        change(&configuration)
        return try UnrecoveredLog(configuration).recover(runsThreads: false)
    }

    private func edit(_ name: String, _ body: (inout Data) -> Void) throws {
        let url = URL(fileURLWithPath: folder[name])
        var data = try Data(contentsOf: url)
        body(&data)
        try data.write(to: url)
    }

    private var journals: [String] { (0..<4).map { "log/~journal/\($0).journal" }.filter { FileManager.default.fileExists(atPath: folder[$0]) } }

    /// The journal file that holds entries, and the byte positions of those of its current generation.
    private func entries() throws -> (file: String, places: [Int]) {
        var found: (file: String, generation: UInt64, places: [Int])?
        for file in journals {
            let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder[file])))
            guard let header = JournalFileHeader(bytes), header.generation >= found?.generation ?? 0 else { continue }
            var places: [Int] = []
            var place = JournalFormat.block
            while place < bytes.count, let entry = bytes[place...].withUnsafeBytes({ JournalEntryHeader($0) }), entry.generation == header.generation {
                places.append(place)
                place += JournalFormat.padded(entry.length)
            }
            found = (file, header.generation, places)
        }
        let result = try #require(found)
        return (result.file, result.places)
    }

    @Test func unflushedRecordsComeFromTheJournal() throws {
        var expected: [String] = []
        for round in 0..<4 {
            let log = try open()
            try log.ensureTopic("t", TopicConfiguration(partitions: 2))
            for number in 0..<60 {
                expected.append("\(round)-\(number) " + String(repeating: "x", count: 300))
                try log.append("t", 1, [expected[expected.count - 1]])
                if number == 20 { log.runFlush() }
                if number == 40, round % 2 == 0 { log.checkpoint() }
            }
            try log.commitAndWait("g", "t", 1, Int64(expected.count))
        }
        let log = try open()
        #expect(try log.values("t", 1) == expected)
        #expect(log.committedOffset(group: "g", topic: "t", partition: 1) == Int64(expected.count))
        #expect(try log.values("t", 0) == [])
        log.close()
    }

    @Test func producerRowsSurviveACrash() throws {
        let mark = ProducerMark(producerID: 1, rows: [10, 11])
        do {
            let log = try open()
            try log.ensureTopic("t", TopicConfiguration())
            _ = try log.appendAndWait([PartitionAppend(topic: "t", partition: 0, records: batch(["a", "b"]), producer: mark)])
        }
        let log = try open()
        let receipt = try log.appendAndWait([PartitionAppend(topic: "t", partition: 0, records: batch(["a", "b"]), producer: mark)])[0]
        #expect(receipt.duplicates == 2 && receipt.newRecords == 0)
        #expect(try log.values("t") == ["a", "b"])
    }

    private func crashWithFiveEntries() throws {
        let log = try open()
        try log.ensureTopic("t", TopicConfiguration())
        for number in 0..<5 { try log.append("t", 0, ["\(number)"]) }
    }

    @Test(arguments: [8, 40, 100])
    func tornTailIsCut(position: Int) throws {
        try crashWithFiveEntries()
        let (file, places) = try entries()
        #expect(places.count == 5)
        try edit(file) { $0[places[4] + position] ^= 0x10 }
        do {
            let log = try open()
            #expect(try log.values("t") == ["0", "1", "2", "3"])
            #expect(try log.append("t", 0, ["again"]) == 4)
        }
        let log = try open()
        #expect(try log.values("t") == ["0", "1", "2", "3", "again"])
    }

    @Test(arguments: [0, 3, 8, 16, 100])
    func damageBeforeALaterEntryIsRefusedWithItsPlace(position: Int) throws {
        try crashWithFiveEntries()
        let (file, places) = try entries()
        try edit(file) { $0[places[2] + position] ^= 0x10 }
        let error = #expect(throws: LogError.self) { _ = try open() }
        #expect(error?.code == .damaged)
        #expect(error?.path == folder[file])
        #expect(error?.filePosition == Int64(places[2]))
        #expect(error?.message.contains("unreadable") == true)
    }

    @Test func damagedJournalHeaderWithEntriesIsRefused() throws {
        try crashWithFiveEntries()
        let (file, _) = try entries()
        try edit(file) { $0[20] ^= 1 }
        let error = #expect(throws: LogError.self) { _ = try open() }
        #expect(error?.code == .damaged)
    }

    @Test func entriesOfAnEarlierGenerationAreNotReplayed() throws {
        let small: (inout LogConfiguration) -> Void = { configuration in
            configuration.journalBytes = 256 << 10
            configuration.maxRecordBytes = 10 << 10
        }
        var expected: [String] = []
        for _ in 0..<3 {
            let log = try open(small)
            try log.ensureTopic("t", TopicConfiguration())
            for _ in 0..<100 {
                expected.append("\(expected.count)")
                try log.append("t", 0, [expected[expected.count - 1]])
            }
        }
        let log = try open(small)
        #expect(try log.values("t") == expected)
    }

    @Test func bitRotInASegmentIsNamedWhenRead() throws {
        do {
            let log = try open()
            try log.ensureTopic("t", TopicConfiguration())
            for number in 0..<10 { try log.append("t", 0, ["value \(number)"]) }
            log.close()
        }
        try edit("log/t/0/00000000000000000000.log") { $0[$0.count - 3] ^= 1 }
        let log = try open()
        let error = #expect(throws: LogError.self) { _ = try log.values("t", maxBytes: 1) }
        #expect(error?.code == .checksumMismatch)
        #expect(error?.path == folder["log/t/0/00000000000000000000.log"])
        #expect(try log.read("t", partition: 0, from: 0, maxBytes: 10).isEmpty == false)
    }

    @Test func shortSegmentIsRefused() throws {
        do {
            let log = try open()
            try log.ensureTopic("t", TopicConfiguration())
            try log.append("t", 0, ["value"])
            log.close()
        }
        try edit("log/t/0/00000000000000000000.log") { $0.removeLast() }
        let error = #expect(throws: LogError.self) { _ = try open() }
        #expect(error?.code == .damaged)
    }

    @Test func leftoversAreRemovedAndStrangersAreNot() throws {
        do {
            let log = try open()
            try log.ensureTopic("t", TopicConfiguration())
            try log.append("t", 0, ["value"])
            log.close()
        }
        try FileManager.default.createDirectory(atPath: folder["log/~creating-x/0"], withIntermediateDirectories: true)
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder["log/~checkpoint.new"]))
        do {
            let log = try open()
            #expect(try log.values("t") == ["value"])
            #expect(!FileManager.default.fileExists(atPath: folder["log/~creating-x"]))
        }
        try Data("stranger".utf8).write(to: URL(fileURLWithPath: folder["log/t/0/00000000000000000900.log"]))
        let error = #expect(throws: LogError.self) { _ = try open() }
        #expect(error?.code == .damaged)
        #expect(FileManager.default.fileExists(atPath: folder["log/t/0/00000000000000000900.log"]))
    }

    @Test func damagedOrMissingCheckpointIsRefused() throws {
        try crashWithFiveEntries()
        let path = folder["log/~checkpoint"]
        let original = try Data(contentsOf: URL(fileURLWithPath: path))
        try edit("log/~checkpoint") { $0[30] ^= 1 }
        var error = #expect(throws: LogError.self) { _ = try open() }
        #expect(error?.code == .checksumMismatch)
        try FileManager.default.removeItem(atPath: path)
        error = #expect(throws: LogError.self) { _ = try open() }
        #expect(error?.code == .damaged)
        try original.write(to: URL(fileURLWithPath: path))
        #expect(try open().values("t") == ["0", "1", "2", "3", "4"])
    }

    @Test func missingTopicFolderIsRefused() throws {
        try crashWithFiveEntries()
        try FileManager.default.removeItem(atPath: folder["log/t"])
        let error = #expect(throws: LogError.self) { _ = try open() }
        #expect(error?.code == .damaged)
    }

    @Test func journalOfAnotherSizeIsReplaced() throws {
        try crashWithFiveEntries()
        do {
            let log = try open { $0.journalBytes = 2 << 20 }
            #expect(try log.values("t").count == 5)
            try log.append("t", 0, ["5"])
        }
        let log = try open()
        #expect(try log.values("t").count == 6)
    }
}
