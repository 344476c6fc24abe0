import Foundation
import TestSupport
import Testing

@testable import EmbeddedLog

/// What 2,000 partitions cost.
@Suite struct ManyPartitionsTests {
    private static let partitions = 2_000
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Segment files of the folder that this process has open.
    private func openSegments() throws -> Int {
        let names = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let targets = names.compactMap { try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0) }
        return targets.filter { $0.hasPrefix(URL(fileURLWithPath: folder.path).resolvingSymlinksInPath().path + "/log/many/") }.count
    }

    /// Resident memory of this process, in bytes.
    private func residentBytes() throws -> Int {
        let text = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8)
        return (Int(text.split(separator: " ")[1]) ?? 0) * 4096
    }

    @Test func descriptorsAndMemoryAreBoundedAndIdlePartitionsHoldNoFile() throws {
        var configuration = smallConfiguration(folder.path)
        configuration.maxOpenFiles = 100
        configuration.journalBytes = 8 << 20
        configuration.tailCacheBytes = 0
        let before = try residentBytes()
        let log = try UnrecoveredLog(configuration).recover(runsThreads: false)
        try log.ensureTopic("many", TopicConfiguration(partitions: Self.partitions))
        let appends = (0..<Int32(Self.partitions)).map { PartitionAppend(topic: "many", partition: $0, records: batch(["\($0)"])) }
        #expect(try log.appendAndWait(appends).allSatisfy { $0.baseOffset == 0 })
        log.checkpoint()
        #expect(try openSegments() <= 100)
        for partition in 0..<Int32(Self.partitions) {
            #expect(try log.read("many", partition: partition, from: 0, maxBytes: 100).isEmpty == false)
        }
        #expect(try openSegments() <= 100)
        #expect(try residentBytes() - before < 100 << 20)
        // Whoever was not used between two looks is closed.
        log.maintain()
        log.maintain()
        #expect(try openSegments() == 0)
        #expect(try log.values("many", 1_999) == ["1999"])
        #expect(try openSegments() == 1)
        log.close()
        #expect(try openSegments() == 0)
    }
}
