@testable import EmbeddedLog

/// The local disk, watched by a test.
struct WatchedStorage: LogStorage {
    private let disk = PosixStorage()
    private let afterRead: @Sendable (String, Int) -> Void
    private let beforeSync: @Sendable (String) throws(LogError) -> Void
    private let beforeWrite: BeforeWrite

    typealias BeforeWrite = @Sendable (_ path: String, _ position: Int64, _ count: Int) throws(LogError) -> Void

    /// - Parameters:
    ///   - afterRead: gets each read's path and bytes.
    ///   - beforeSync: gets the path of each file to be synced, and may fail it.
    ///   - beforeWrite: gets the path, position and bytes of each write, and may fail it.
    init(
        afterRead: @escaping @Sendable (String, Int) -> Void = { _, _ in },
        beforeSync: @escaping @Sendable (String) throws(LogError) -> Void = { _ throws(LogError) in },
        beforeWrite: @escaping BeforeWrite = { _, _, _ throws(LogError) in }
    ) {
        self.afterRead = afterRead
        self.beforeSync = beforeSync
        self.beforeWrite = beforeWrite
    }

    func open(_ path: String, create: Bool) throws(LogError) -> any LogFile {
        WatchedFile(
            file: try disk.open(path, create: create), path: path, afterRead: afterRead, beforeSync: beforeSync, beforeWrite: beforeWrite)
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

private final class WatchedFile: LogFile {
    private let file: any LogFile
    private let path: String
    private let afterRead: @Sendable (String, Int) -> Void
    private let beforeSync: @Sendable (String) throws(LogError) -> Void
    private let beforeWrite: WatchedStorage.BeforeWrite

    init(
        file: any LogFile, path: String, afterRead: @escaping @Sendable (String, Int) -> Void,
        beforeSync: @escaping @Sendable (String) throws(LogError) -> Void, beforeWrite: @escaping WatchedStorage.BeforeWrite
    ) {
        self.file = file
        self.path = path
        self.afterRead = afterRead
        self.beforeSync = beforeSync
        self.beforeWrite = beforeWrite
    }

    func size() throws(LogError) -> Int64 { try file.size() }

    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(LogError) -> Int {
        let count = try file.read(into: buffer, at: position)
        afterRead(path, count)
        return count
    }

    func write(_ buffers: [UnsafeRawBufferPointer], at position: Int64) throws(LogError) {
        try beforeWrite(path, position, buffers.reduce(0) { $0 + $1.count })
        try file.write(buffers, at: position)
    }

    func sync() throws(LogError) {
        try beforeSync(path)
        try file.sync()
    }

    func truncate(to size: Int64) throws(LogError) { try file.truncate(to: size) }
}
