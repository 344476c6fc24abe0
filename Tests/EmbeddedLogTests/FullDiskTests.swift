import Synchronization
import TestSupport
import Testing

@testable import EmbeddedLog

/// Writes that fail because the disk is full, until there is room again.
@Suite struct FullDiskTests {
    private let folder: TemporaryFolder
    private let isFull = FullDisk()

    init() throws {
        folder = try TemporaryFolder()
    }

    /// Whether the disk is full now.
    private final class FullDisk: Sendable {
        private let state = Atomic(false)

        var now: Bool {
            get { state.load(ordering: .relaxed) }
            set { state.store(newValue, ordering: .relaxed) }
        }
    }

    private func open(_ fails: @escaping @Sendable (_ path: String, _ position: Int64, _ count: Int) -> Bool) throws -> EmbeddedLog {
        let disk = WatchedStorage(beforeWrite: { [isFull] path, position, count throws(LogError) in
            if isFull.now, fails(path, position, count) { throw LogError(.storageFull, "no space left", path: path, errno: 28) }
        })
        return try UnrecoveredLog(smallConfiguration(folder.path), storage: disk).recover(runsThreads: false)
    }

    /// What the log holds back because it waits for its segments is bounded by these bytes.
    @Test func whatIsWrittenBeforeTheDiskIsFullIsCountedOnce() throws {
        let log = try open { path, _, _ in path.contains("/t/0/") && !path.hasSuffix("/00000000000000000000.log") }
        try log.ensureTopic("t", TopicConfiguration())
        let values = (0..<6).map { "\($0)" + String(repeating: "x", count: 3_000) }
        for value in values { try log.append("t", 0, [value]) }
        isFull.now = true
        log.runFlush()
        #expect(log.flush.withLock { $0.blocked?.code } == .storageFull)
        #expect(log.flush.withLock { $0.unflushedBytes } > 0)
        isFull.now = false
        log.runFlush()
        #expect(log.flush.withLock { $0.blocked == nil })
        #expect(log.flush.withLock { $0.unflushedBytes } == 0)
        #expect(try log.values("t") == values)
        log.close()
    }

    @Test func aJournalFileThatCouldNotBeBegunLeavesNoGap() throws {
        let kept = try appendWhileNoJournalFileCanBeBegun()
        let again = try UnrecoveredLog(smallConfiguration(folder.path)).recover()
        #expect(try again.values("t") == kept)
        again.close()
    }

    /// Returns what was acknowledged. The log is let go without `close`, as by `kill -9`.
    private func appendWhileNoJournalFileCanBeBegun() throws -> [String] {
        let log = try open { path, position, count in path.hasSuffix(".journal") && position == 0 && count == JournalFormat.block }
        try log.ensureTopic("t", TopicConfiguration())
        isFull.now = true
        var refused = 0
        var kept: [String] = []
        // A journal file has 256 KiB: a second one is begun, and no checkpoint follows.
        for number in 0..<30 {
            let value = "\(number)" + String(repeating: "x", count: 9_000)
            do {
                try log.append("t", 0, [value])
                kept.append(value)
            } catch let error as LogError {
                #expect(error.code == .storageFull)
                refused += 1
                if refused == 2 { isFull.now = false }
            }
        }
        #expect(refused == 2)
        #expect(kept.count == 28)
        return kept
    }
}
