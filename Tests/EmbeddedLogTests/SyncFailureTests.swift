import TestSupport
import Testing

@testable import EmbeddedLog

/// One of many segments that are synced side by side fails, once.
@Suite struct SyncFailureTests {
    @Test func theLogClosesAndLosesNothing() throws {
        let folder = try TemporaryFolder()
        let disk = WatchedStorage(beforeSync: { path throws(LogError) in
            if path.contains("/t/5/") { throw LogError(.io, "cannot sync the file: input/output error", path: path, errno: 5) }
        })
        let log = try UnrecoveredLog(smallConfiguration(folder.path), storage: disk).recover()
        try log.ensureTopic("t", TopicConfiguration(partitions: 12))
        let appends = (0..<Int32(12)).map { PartitionAppend(topic: "t", partition: $0, records: batch(["\($0)"])) }
        _ = try log.appendAndWait(appends)
        // The checkpoint that a deleted topic asks for.
        try log.ensureTopic("gone", TopicConfiguration())
        try log.deleteTopic("gone")
        #expect(eventually { log.refusal != nil })
        #expect(log.refusal?.code == .failed)
        #expect(log.refusal?.path?.contains("/t/5/") == true)
        #expect(throws: LogError.self) { try log.append("t", 0, ["refused"]) }
        log.close()
        let again = try UnrecoveredLog(smallConfiguration(folder.path)).recover()
        for partition in 0..<Int32(12) { #expect(try again.values("t", partition) == ["\(partition)"]) }
        again.close()
    }
}
