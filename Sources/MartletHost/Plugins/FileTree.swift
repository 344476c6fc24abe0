import Glibc

/// Files and folders, as commands that write into a checkout need them. Paths may be relative to the current folder.
enum FileTree {
    /// What could not be done to which file, and why.
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ action: String, _ path: String) {
            description = "cannot \(action) \(path): \(String(cString: strerror(errno)))"
        }
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// When the file was written last, in nanoseconds since the epoch; nil if there is none.
    static func modified(_ path: String) -> Int64? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
    }

    static func read(_ path: String) throws(Failure) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Failure("read", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw Failure("read", path) }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }

    /// Writes a file whole or not at all.
    static func write(_ text: String, to path: String) throws(Failure) {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure("write", path) }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Failure("write", path) }
            rest = rest.dropFirst(count)
        }
        guard rename(temporary, path) == 0 else { throw Failure("write", path) }
    }

    /// Makes the folder and those above it.
    static func makeFolder(_ path: String) throws(Failure) {
        if path.isEmpty || isFolder(path) { return }
        if let slash = path.lastIndex(of: "/") { try makeFolder(String(path[..<slash])) }
        guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw Failure("make", path) }
    }

    /// Free space that a folder in memory must offer.
    private static let memoryBytesMin: UInt64 = 256 << 20

    /// A new folder of its own in the system's folder for temporary files.
    ///
    /// - Parameter inMemory: in `/dev/shm` if there is room, where syncing costs nothing; `TMPDIR` goes before it.
    static func temporaryFolder(inMemory: Bool = false) throws(Failure) -> String {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? (inMemory && hasMemoryFolder ? memoryFolder : "/tmp")
        var template = Array("\(base)/martlet-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure("make a folder in", base) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static let memoryFolder = "/dev/shm"

    private static var hasMemoryFolder: Bool {
        var status = statvfs()
        guard statvfs(memoryFolder, &status) == 0, access(memoryFolder, W_OK) == 0 else { return false }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize) >= memoryBytesMin
    }

    /// The files in a folder and below it, as paths from the folder, sorted. Links are not followed.
    static func files(in folder: String) throws(Failure) -> [String] {
        var files: [String] = []
        for name in try names(in: folder) {
            var status = stat()
            guard lstat("\(folder)/\(name)", &status) == 0 else { throw Failure("read", "\(folder)/\(name)") }
            if status.st_mode & S_IFMT == S_IFDIR {
                files += try self.files(in: "\(folder)/\(name)").map { "\(name)/\($0)" }
            } else {
                files.append(name)
            }
        }
        return files
    }

    /// Removes a file, or a folder with all that is in it; nothing if there is none. Links are removed, not followed.
    static func remove(_ path: String) throws(Failure) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in try names(in: path) { try remove("\(path)/\(name)") }
            guard rmdir(path) == 0 else { throw Failure("remove", path) }
        } else {
            guard unlink(path) == 0 else { throw Failure("remove", path) }
        }
    }

    private static func names(in folder: String) throws(Failure) -> [String] {
        guard let directory = opendir(folder) else { throw Failure("read", folder) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
