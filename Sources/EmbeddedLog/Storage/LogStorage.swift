/// The disk as the log sees it. Small on purpose: a simulated one runs the fault tests.
///
/// What the log relies on, and nothing more:
/// - `write` is durable after `sync` of the same file returned;
/// - a created, renamed or removed name is durable after `syncDirectory` of its folder returned;
/// - before that, writes may be lost, torn at 512-byte sectors, and reordered.
///
/// Calls block, and come from any thread.
package protocol LogStorage: Sendable {
    /// Opens a file for reading and writing.
    func open(_ path: String, create: Bool) throws(LogError) -> any LogFile
    /// The same for a file that is only written, in whole blocks of 4096 bytes at multiples of that, from memory aligned to them:
    /// the writes may pass by the system's cache. They too are durable only after `sync`.
    func openUncached(_ path: String, create: Bool) throws(LogError) -> any LogFile
    /// Size of a file in bytes; `nil` if there is none.
    func size(_ path: String) throws(LogError) -> Int64?
    /// Names in a folder, in no order, without `.` and `..`; empty if there is no such folder.
    func list(_ directory: String) throws(LogError) -> [String]
    /// Creates a folder, and its parents; one that exists is fine.
    func createDirectory(_ path: String) throws(LogError)
    /// Replaces `to` in one step.
    func rename(_ from: String, to: String) throws(LogError)
    /// Removes a file, or a folder with all it holds; a missing one is fine.
    func remove(_ path: String) throws(LogError)
    func syncDirectory(_ path: String) throws(LogError)
    /// Bytes that may still be written on the file system that holds `path`.
    func freeBytes(_ path: String) throws(LogError) -> Int64
    /// Takes the lock file, or throws `locked`. Held until the result is released.
    func lock(_ path: String) throws(LogError) -> any LogLock
}

/// One open file. Closed when released.
package protocol LogFile: AnyObject, Sendable {
    func size() throws(LogError) -> Int64
    /// Reads up to the buffer's length; fewer bytes only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer, at position: Int64) throws(LogError) -> Int
    /// Writes all of it, one buffer after the other.
    func write(_ buffers: [UnsafeRawBufferPointer], at position: Int64) throws(LogError)
    /// Begins to write what is not on the disk yet, without waiting: a hint before the syncs of many files, so that the system
    /// works on all of them at once. Promises nothing, and takes no error away from `sync`.
    func startSync()
    /// Makes the content and size durable (`fdatasync`).
    func sync() throws(LogError)
    func truncate(to size: Int64) throws(LogError)
}

/// A held lock file; releasing it gives the lock back.
package protocol LogLock: AnyObject, Sendable {}

extension LogStorage {
    package func openUncached(_ path: String, create: Bool) throws(LogError) -> any LogFile { try open(path, create: create) }
}

extension LogFile {
    package func startSync() {}

    func write(_ buffer: UnsafeRawBufferPointer, at position: Int64) throws(LogError) {
        try write([buffer], at: position)
    }

    func write(bytes: [UInt8], at position: Int64) throws(LogError) {
        var failure: LogError?
        bytes.withUnsafeBytes { buffer in
            do throws(LogError) { try write([buffer], at: position) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    func readBytes(count: Int, at position: Int64) throws(LogError) -> [UInt8] {
        var failure: LogError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(LogError) {
                initialized = try read(into: UnsafeMutableRawBufferPointer(buffer), at: position)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
