import Glibc

/// Reads whole small files: configs, secrets that `${file:…}` names, and keys.
package enum ConfigFileReader {
    /// Why a file could not be read, ready to follow "cannot be read: ".
    package struct Failure: Error {
        /// The words.
        package let reason: String
        /// The system's error, or 0 if the reason is a rule of ours.
        var errorNumber: CInt = 0
    }

    /// Reads a file from its beginning to its end.
    ///
    /// - Parameters:
    ///   - path: absolute, or relative to the current folder.
    ///   - limit: bytes at most.
    ///   - allowsPipes: whether `/dev/stdin` and pipes will do; reading one waits for its writer.
    package static func read(_ path: String, limit: Int, allowsPipes: Bool) throws(Failure) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw Failure(reason: "the path holds a NUL character") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | (allowsPipes ? 0 : O_NONBLOCK))
        guard descriptor >= 0 else { throw failure(errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure(errno) }
        let type = status.st_mode & S_IFMT
        if type == S_IFDIR { throw failure(EISDIR) }
        guard type == S_IFREG || allowsPipes else { throw Failure(reason: "it is not a regular file") }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(errno)
            }
            bytes += chunk[..<count]
            guard bytes.count <= limit else { throw Failure(reason: "it is larger than the limit of \(limit) bytes") }
        }
    }

    private static func failure(_ number: CInt) -> Failure {
        Failure(reason: strerror(number).map { String(cString: $0) } ?? "error \(number)", errorNumber: number)
    }
}
