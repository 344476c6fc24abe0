import Glibc

/// The local file system.
package struct PosixStorage: LogStorage {
    package init() {}

    package func open(_ path: String, create: Bool) throws(LogError) -> any LogFile {
        let descriptor = Self.openDescriptor(path, O_RDWR | (create ? O_CREAT : 0))
        if descriptor < 0 { throw .system(create ? "create the file" : "open the file", path: path, errno: errno) }
        return PosixFile(descriptor, path: path)
    }

    package func size(_ path: String) throws(LogError) -> Int64? {
        var status = stat()
        if stat(path, &status) == 0 { return Int64(status.st_size) }
        if errno == ENOENT { return nil }
        throw .system("look for the file", path: path, errno: errno)
    }

    package func list(_ directory: String) throws(LogError) -> [String] {
        guard let stream = opendir(directory) else {
            if errno == ENOENT { return [] }
            throw .system("list the folder", path: directory, errno: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    package func createDirectory(_ path: String) throws(LogError) {
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try createDirectory(String(path[..<slash]))
            if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        }
        throw .system("create the folder", path: path, errno: errno)
    }

    package func rename(_ from: String, to: String) throws(LogError) {
        if Glibc.rename(from, to) != 0 { throw .system("rename to \(to)", path: from, errno: errno) }
    }

    package func remove(_ path: String) throws(LogError) {
        if unlink(path) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw .system("remove the file", path: path, errno: errno) }
        for name in try list(path) { try remove(path + "/" + name) }
        if rmdir(path) != 0, errno != ENOENT { throw .system("remove the folder", path: path, errno: errno) }
    }

    package func syncDirectory(_ path: String) throws(LogError) {
        let descriptor = Self.openDescriptor(path, O_RDONLY | O_DIRECTORY)
        if descriptor < 0 { throw .system("open the folder to sync it", path: path, errno: errno) }
        defer { close(descriptor) }
        if fsync(descriptor) != 0 { throw .system("sync the folder", path: path, errno: errno) }
    }

    package func freeBytes(_ path: String) throws(LogError) -> Int64 {
        var status = statvfs()
        if statvfs(path, &status) != 0 { throw .system("ask for the free space", path: path, errno: errno) }
        return Int64(clamping: UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize)).partialValue)
    }

    package func lock(_ path: String) throws(LogError) -> any LogLock {
        let descriptor = Self.openDescriptor(path, O_RDWR | O_CREAT)
        if descriptor < 0 { throw .system("open the lock file", path: path, errno: errno) }
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let cause = errno
            close(descriptor)
            if cause == EWOULDBLOCK {
                throw LogError(
                    .locked, "another host has this data folder open; stop it, or give this one its own data_directory",
                    path: path, errno: cause)
            }
            throw .system("lock the file", path: path, errno: cause)
        }
        return PosixLock(descriptor)
    }

    private static func openDescriptor(_ path: String, _ flags: Int32) -> Int32 {
        while true {
            let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o644)
            if descriptor >= 0 || errno != EINTR { return descriptor }
        }
    }
}

/// A `flock` on an open file.
private final class PosixLock: LogLock {
    private let descriptor: Int32
    init(_ descriptor: Int32) { self.descriptor = descriptor }
    deinit { close(descriptor) }
}
