import Glibc
import Martlet
import Synchronization

/// A name for this host and its data folder that lasts as long as the folder: it owns the host's outbox rows.
package final class HostIdentity: Sendable {
    private let directory: String
    private let path: String
    private let loaded = Mutex<String?>(nil)

    /// - Parameter directory: the data folder.
    package init(directory: String) {
        self.directory = directory
        path = directory + "/host-id"
    }

    /// The name; ``load()`` must have succeeded.
    package var id: String {
        guard let id = loaded.withLock({ $0 }) else { preconditionFailure("the host's identity is used before it is loaded") }
        return id
    }

    /// Reads the file `host-id`, or makes it. The data folder must exist.
    package func load() throws {
        if let existing = try read() {
            loaded.withLock { $0 = existing }
            return
        }
        let id = EventID.generate().string
        try write(id)
        loaded.withLock { $0 = id }
    }

    private func read() throws -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw failure("read")
        }
        defer { Glibc.close(descriptor) }
        let text = Bytes(capacity: 256) { max(0, Glibc.read(descriptor, $0.baseAddress, $0.count)) }.string
        let id = text.split(separator: "\n").first.map(String.init) ?? ""
        guard id.utf8.count == 36 else {
            throw HostError("\(path) does not hold a host id (36 characters); restore it, or remove it to get a new one")
        }
        return id
    }

    /// A synced temporary file that is renamed, so that a crash leaves no half-written id.
    private func write(_ id: String) throws {
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw failure("write") }
        defer { Glibc.close(descriptor) }
        var line = id + "\n"
        let written = line.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == id.utf8.count + 1, fsync(descriptor) == 0, rename(temporary, path) == 0 else {
            throw failure("write")
        }
        let folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("sync the folder of") }
        defer { Glibc.close(folder) }
        guard fsync(folder) == 0 else { throw failure("sync the folder of") }
    }

    private func failure(_ action: String) -> HostError {
        HostError("cannot \(action) \(path): \(String(cString: strerror(errno)))")
    }
}
