import Foundation
import TestSupport
import Testing

@testable import EmbeddedLog

/// The index by key: it finds what a scan finds, and whatever is wrong with its files costs time only.
@Suite struct KeyIndexTests {
    private let folder: TemporaryFolder
    private let clock = ManualClock()

    init() throws {
        folder = try TemporaryFolder()
    }

    private func open() throws -> EmbeddedLog {
        try UnrecoveredLog(smallConfiguration(folder.path), clock: clock).recover(runsThreads: false)
    }

    private func filled(_ count: Int, keys: Int, _ settings: TopicConfiguration = TopicConfiguration()) throws -> EmbeddedLog {
        let log = try open()
        try log.ensureTopic("t", settings)
        for number in 0..<count {
            try log.append("t", 0, ["\(number)" + String(repeating: "x", count: number * 7 % 300)], key: "user-\(number * number % keys)", timestamp: clock.now())
        }
        log.checkpoint()
        return log
    }

    private func hash(_ key: String) -> UInt32 { Array(key.utf8).withUnsafeBytes { KeyIndexes.hash($0) } }

    /// The offsets of a key's records, by reading them all.
    private func scan(_ log: EmbeddedLog, _ key: String, _ range: Range<Int64>) throws -> [Int64] {
        var found: [Int64] = []
        var place = try log.startOffset("t", 0)
        while true {
            let chunk = try log.read("t", partition: 0, from: place, maxBytes: 4_096)
            if chunk.isEmpty { return found }
            var cursor = chunk.records()
            while try cursor.next() {
                if range.contains(cursor.offset), cursor.key.map({ String(decoding: $0, as: UTF8.self) }) == key { found.append(cursor.offset) }
            }
            place = chunk.nextOffset
        }
    }

    private func files() -> [String] {
        (FileManager.default.enumerator(atPath: folder.path + "/keys")?.compactMap { $0 as? String } ?? []).filter { $0.hasSuffix(".keys") }.sorted()
    }

    @Test func itFindsWhatAScanFinds() throws {
        let log = try filled(600, keys: 37)
        let indexes = KeyIndexes(of: log, in: folder.path + "/keys")
        #expect(try indexes.find([hash("user-1")], "t", 0, from: 0, to: 600, limit: .max).coveredTo == 0)
        #expect(try indexes.refresh("t") > 10)
        #expect(try indexes.refresh("t") == 0)
        // As after a restart, too: then checksums are compared.
        for indexes in [indexes, KeyIndexes(of: log, in: folder.path + "/keys")] {
            let end = try indexes.find([], "t", 0, from: 0, to: 600, limit: .max).coveredTo
            #expect(end > 500 && end < 600)
            for (from, to) in [(0, end), (17, 401), (300, 301), (250, 250)] {
                for number in 0..<37 {
                    let key = "user-\(number)"
                    let matches = try indexes.find([hash(key)], "t", 0, from: Int64(from), to: to, limit: .max)
                    #expect(matches.coveredTo == max(Int64(from), to))
                    // A hash may be shared by keys: then there is more, never less.
                    #expect(Set(matches.offsets).isSuperset(of: try scan(log, key, Int64(from)..<max(Int64(from), to))), "\(key)")
                    #expect(matches.offsets == matches.offsets.sorted())
                }
            }
            let both = try indexes.find([hash("user-1"), hash("user-4")], "t", 0, from: 0, to: end, limit: .max)
            #expect(both.offsets == (try scan(log, "user-1", 0..<end) + scan(log, "user-4", 0..<end)).sorted())
        }
        log.close()
    }

    @Test func aLimitIsWhereItGoesOn() throws {
        let log = try filled(400, keys: 5)
        let indexes = KeyIndexes(of: log, in: folder.path + "/keys")
        try indexes.refresh("t")
        let end = try indexes.find([], "t", 0, from: 0, to: 400, limit: .max).coveredTo
        var found: [Int64] = []
        var place: Int64 = 0
        while place < end {
            let matches = try indexes.find([hash("user-1")], "t", 0, from: place, to: end, limit: 3)
            #expect(matches.offsets.count <= 3)
            #expect(matches.coveredTo > place)
            found += matches.offsets
            place = matches.coveredTo
        }
        #expect(found == (try scan(log, "user-1", 0..<end)))
        log.close()
    }

    @Test(arguments: ["cut", "changed", "another", "gone"])
    func aBadFileIsMadeAgain(_ damage: String) throws {
        let log = try filled(300, keys: 7)
        try KeyIndexes(of: log, in: folder.path + "/keys").refresh("t")
        let names = files()
        let second = URL(fileURLWithPath: folder.path + "/keys/" + names[1])
        var data = try Data(contentsOf: second)
        switch damage {
        case "cut": data.removeLast(8)
        case "changed": data[data.count - 3] ^= 1
        case "another": data = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/keys/" + names[2]))
        default: try FileManager.default.removeItem(at: second)
        }
        if damage != "gone" { try data.write(to: second) }
        let indexes = KeyIndexes(of: log, in: folder.path + "/keys")
        let covered = try indexes.find([hash("user-1")], "t", 0, from: 0, to: 300, limit: .max).coveredTo
        #expect(covered > 0 && covered < 60)
        #expect(try indexes.refresh("t") == 1)
        #expect(try indexes.find([hash("user-1")], "t", 0, from: 0, to: 300, limit: .max).coveredTo > 200)
        log.close()
    }

    @Test func filesGoWithTheirSegments() throws {
        let log = try filled(300, keys: 7, TopicConfiguration(retentionBytes: 20_000))
        let indexes = KeyIndexes(of: log, in: folder.path + "/keys")
        try indexes.refresh("t")
        let before = files()
        log.maintain()
        let start = try log.startOffset("t", 0)
        #expect(start > 0)
        try indexes.refresh("t")
        let after = files()
        #expect(!after.isEmpty && after.count < before.count && Set(after).isSubset(of: before))
        #expect(try indexes.find([hash("user-1")], "t", 0, from: 0, to: 300, limit: .max).coveredTo == 0)
        let matches = try indexes.find([hash("user-1")], "t", 0, from: start, to: 300, limit: .max)
        #expect(matches.offsets == (try scan(log, "user-1", start..<matches.coveredTo)))
        log.close()
    }

    @Test func aCompactedTopicHasNone() throws {
        let log = try filled(200, keys: 7, TopicConfiguration(cleanup: .compact))
        #expect(try KeyIndexes(of: log, in: folder.path + "/keys").refresh("t") == 0)
        log.close()
    }
}
