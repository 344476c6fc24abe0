import Glibc
import Martlet

/// The file that lines are appended to, and the finished ones beside it. Used on the sink's thread.
final class RotatingFile: @unchecked Sendable {
    // Unchecked: all calls come from the one thread of the sink's worker.

    private let path: String
    private let unfinished: String
    private let rotateBytes: Int
    private let rotateAge: Duration
    private var descriptor: CInt = -1
    /// Bytes that are written and synced.
    private var size = 0
    /// When the file got its first line here, and by the wall clock.
    private var begun: (at: ContinuousClock.Instant, timestamp: Int64)?

    init(path: String, rotateBytes: Int, rotateAge: Duration) {
        self.path = path
        unfinished = path + ".open"
        self.rotateBytes = rotateBytes
        self.rotateAge = rotateAge
    }

    /// Opens and locks the unfinished file, and cuts off what follows its last line end.
    func open() throws(ModuleError) {
        close()
        let opened = Glibc.open(unfinished, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard opened >= 0 else { throw failure("open") }
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
            Glibc.close(opened)
            throw .blocked("file.in_use", "\(unfinished) is written by another sink or process; give each a `path` of its own")
        }
        descriptor = opened
        let found = Int(lseek(opened, 0, SEEK_END))
        size = endOfLastLine(found)
        guard size == found || ftruncate(opened, off_t(size)) == 0 else { throw failure("cut off the end of") }
        guard StateFile.sync(folder) else { throw failure("sync the folder of") }
        begun = size > 0 ? (.now, Timestamp.now()) : nil
    }

    /// Writes lines and syncs them. After an error none of them is there.
    func append(_ lines: [UInt8]) throws(ModuleError) {
        if descriptor < 0 { try open() }
        if begun == nil { begun = (.now, Timestamp.now()) }
        let isWritten = lines.withUnsafeBytes { source in
            var written = 0
            while written < source.count {
                let count = pwrite(descriptor, source.baseAddress.map { $0 + written }, source.count - written, off_t(size + written))
                if count < 0, errno != EINTR { return false }
                written += max(0, count)
            }
            return fdatasync(descriptor) == 0
        }
        guard isWritten else {
            let error = failure("write to")
            _ = ftruncate(descriptor, off_t(size))
            // What a failed sync leaves behind nobody knows: the file is opened anew.
            close()
            throw error
        }
        size += lines.count
        if size >= rotateBytes { try finish() }
    }

    /// Finishes the file if its first line is old enough.
    func finishIfOld() throws(ModuleError) {
        if let begun, size > 0, .now - begun.at >= rotateAge { try finish() }
    }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    private func finish() throws(ModuleError) {
        let time = LogOutput.utc(begun?.timestamp ?? Timestamp.now()).filter { $0 != "-" && $0 != ":" && $0 != "." }
        let slash = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let dot = path[slash...].lastIndex(of: ".") ?? path.endIndex
        var number = 0
        while true {
            let name = "\(path[..<dot])-\(time)" + (number == 0 ? "" : "-\(number)") + path[dot...]
            // Unlike rename(2) this never replaces a file.
            if link(unfinished, name) == 0 { break }
            guard errno == EEXIST, number < 1000 else { throw failure("finish") }
            number += 1
        }
        guard unlink(unfinished) == 0, StateFile.sync(folder) else { throw failure("finish") }
        close()
        size = 0
        begun = nil
        try open()
    }

    private var folder: String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// The size of the file up to its last line end.
    private func endOfLastLine(_ size: Int) -> Int {
        var end = size
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while end > 0 {
            let start = max(0, end - chunk.count)
            let count = pread(descriptor, &chunk, end - start, off_t(start))
            guard count > 0 else { return size }
            if let last = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) { return start + last + 1 }
            end = start
        }
        return 0
    }

    private func failure(_ verb: String) -> ModuleError {
        let number = errno
        let text = "cannot \(verb) \(unfinished): \(String(cString: strerror(number)))"
        switch number {
        case ENOENT, ENOTDIR, EACCES, EROFS, EPERM, EISDIR:
            return .blocked("file.cannot_open", text + "; the folder must exist and be writable")
        default:
            return .transient("file.cannot_write", text)
        }
    }
}
