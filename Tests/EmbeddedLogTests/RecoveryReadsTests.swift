import Foundation
import Synchronization
import TestSupport
import Testing

@testable import EmbeddedLog

/// What a start after an unclean stop reads: the journal and the ends of the partitions, however much lies before them.
@Suite struct RecoveryReadsTests {
    private static let partitions: Int32 = 3
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func size(_ path: String) throws -> Int {
        try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
    }

    /// Paths of the files with an ending in a folder, in order of their names.
    private func files(in directory: String, _ ending: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(ending) }.sorted().map { directory + "/" + $0 }
    }

    /// Leaves what `kill -9` does: segments that are complete, one to be appended to, and appends that are in the journal only.
    private func crash(sealedSegments: Int) throws {
        let log = try UnrecoveredLog(smallConfiguration(folder.path)).recover(runsThreads: false)
        try log.ensureTopic("t", TopicConfiguration(partitions: Int(Self.partitions)))
        let value = String(repeating: "x", count: 3_000)
        for partition in 0..<Self.partitions {
            for _ in 0..<(sealedSegments * 2 + 1) { try log.append("t", partition, [value]) }
            log.checkpoint()
            try log.append("t", partition, ["after the checkpoint"])
        }
    }

    @Test(arguments: [2, 100])
    func onlyTheJournalAndTheTails(sealedSegments: Int) throws {
        try crash(sealedSegments: sealedSegments)
        var tails: [String] = []
        var sealed: Set<String> = []
        for partition in 0..<Self.partitions {
            let segments = try files(in: folder["log/t/\(partition)"], ".log")
            #expect(segments.count == sealedSegments + 1)
            tails += segments.suffix(1)
            sealed.formUnion(segments.dropLast())
        }
        let journal = try files(in: folder["log/~journal"], ".journal").reduce(0) { try $0 + size($1) }
        let bound = try tails.reduce(journal) { try $0 + size($1) } + (64 << 10)
        let read = Mutex<[String: Int]>([:])
        let disk = WatchedStorage(afterRead: { path, bytes in read.withLock { $0[path, default: 0] += bytes } })
        let log = try UnrecoveredLog(smallConfiguration(folder.path), storage: disk).recover(runsThreads: false)
        let reads = read.withLock { $0 }
        #expect(reads.keys.contains { $0.hasSuffix(".journal") })
        #expect(sealed.isDisjoint(with: reads.keys))
        #expect(reads.values.reduce(0, +) <= bound)
        // Many segments are more than recovery may read.
        if sealedSegments == 100 { #expect(try sealed.reduce(0) { try $0 + size($1) } > bound) }
        for partition in 0..<Self.partitions { #expect(try log.values("t", partition).count == sealedSegments * 2 + 2) }
        log.close()
    }
}
