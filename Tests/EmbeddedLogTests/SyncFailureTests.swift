import Testing

@testable import EmbeddedLog

/// One of many segments that are synced side by side fails, once.
@Suite struct SyncFailureTests {
    /// The local disk, whose files of one partition cannot be synced.
    private struct Storage: LogStorage {
        let disk = PosixStorage()
        let failing: String

        func open(_ path: String, create: Bool) throws(LogError) -> any LogFile {
            let file = try disk.open(path, create: create)
            return path.contains(failing) ? FailingFile(file, path) : file
        }

        func size(_ path: String) throws(LogError) -> Int64? { try disk.size(path) }
        func list(_ directory: String) throws(LogError) -> [String] { try disk.list(directory) }
        func createDirectory(_ path: String) throws(LogError) { try disk.createDirectory(path) }
        func rename(_ from: String, to: String) throws(LogError) { try disk.rename(from, to: to) }
        func remove(_ path: String) throws(LogError) { try disk.remove(path) }
        func syncDirectory(_ path: String) throws(LogError) { try disk.syncDirectory(path) }
        func freeBytes(_ path: String) throws(LogError) -> Int64 { try disk.freeBytes(path) }
        func lock(_ path: String) throws(LogError) -> any LogLock { try disk.lock(path) }
    }

    private final class FailingFile: LogFile {
        private let file: any LogFile
        private let path: String

        init(_ file: any LogFile, _ path: String) {
            self.file = file
            self.path = path
        }

        func size() throws(LogError) -> Int64 { try file.size() }
        func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(LogError) -> Int { try file.read(into: buffer, at: position) }
        func write(_ buffers: [UnsafeRawBufferPointer], at position: Int64) throws(LogError) { try file.write(buffers, at: position) }
        func sync() throws(LogError) { throw LogError(.io, "cannot sync the file: input/output error", path: path, errno: 5) }
        func truncate(to size: Int64) throws(LogError) { try file.truncate(to: size) }
    }

    @Test func theLogClosesAndLosesNothing() throws {
        let folder = TemporaryFolder()
        let log = try UnrecoveredLog(smallConfiguration(folder.path), storage: Storage(failing: "/t/5/")).recover()
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
