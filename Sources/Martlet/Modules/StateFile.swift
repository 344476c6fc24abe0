import Glibc

/// A small file under the data folder in which a module keeps what must survive a restart, such as a source's position. Each
/// write replaces it as a whole: after a crash it holds the old bytes or the new ones. All calls block.
package struct StateFile: Sendable {
    /// The file's path.
    package let path: String
    private let folder: String

    /// - Parameters:
    ///   - dataDirectory: the host's.
    ///   - kind: a folder for files of a kind: `sources`.
    ///   - name: the module's name, and an ending that says what the file holds. What is no letter, digit, `.`, `-` or `_` is escaped.
    package init(dataDirectory: String, kind: String, name: String) {
        folder = dataDirectory + "/" + kind
        path = folder + "/" + Self.escaped(name)
    }

    private static func escaped(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            let scalar = Unicode.Scalar(byte)
            let isPlain = byte < 0x80 && (scalar.properties.isAlphabetic || (0x30...0x39).contains(byte) || "._-".unicodeScalars.contains(scalar))
            text += isPlain ? String(scalar) : "%" + String(byte, radix: 16)
        }
        return text
    }

    /// The bytes written last; nil if there were none.
    ///
    /// - Throws: blocked, `state.cannot_read`.
    package func read() throws(ModuleError) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("read")
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count > 0 {
                bytes += chunk[..<count]
            } else if errno != EINTR {
                throw failure("read")
            }
        }
    }

    /// Replaces the file; when this returns the bytes survive a loss of power.
    ///
    /// - Throws: transient, `state.cannot_write`: a full disk may be emptied.
    package func write(_ bytes: [UInt8]) throws(ModuleError) {
        if mkdir(folder, 0o755) != 0, errno != EEXIST { throw failure("write") }
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure("write") }
        var isWritten = bytes.withUnsafeBytes { source in
            var written = 0
            while written < source.count {
                let count = Glibc.write(descriptor, source.baseAddress.map { $0 + written }, source.count - written)
                if count < 0, errno != EINTR { return false }
                written += max(0, count)
            }
            return fsync(descriptor) == 0
        }
        isWritten = close(descriptor) == 0 && isWritten
        guard isWritten, rename(temporary, path) == 0, Self.sync(folder) else { throw failure("write") }
    }

    /// Makes what was made, renamed or removed in a folder survive a loss of power.
    package static func sync(_ folder: String) -> Bool {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return fsync(descriptor) == 0
    }

    private func failure(_ verb: String) -> ModuleError {
        let text = "cannot \(verb) \(path): \(String(cString: strerror(errno)))"
        return verb == "read"
            ? .blocked("state.cannot_read", text) : .transient("state.cannot_write", text + "; free space, or mend the folder's permissions")
    }
}
