import Foundation
import Glibc
import TestSupport

/// A file system in memory with little room, mounted in a test's folder.
final class TinyDisk {
    static let needs = "mounting a small tmpfs needs root with CAP_SYS_ADMIN: run this suite as root, or in `unshare -rm`"

    /// Whether this process may mount, found out by doing it.
    static let isPossible: Bool = {
        guard let folder = try? TemporaryFolder(), let disk = try? TinyDisk(at: folder["probe"], bytes: 1 << 20) else { return false }
        disk.unmount()
        return true
    }()

    private let path: String
    private var isMounted = true

    init(at path: String, bytes: Int) throws {
        self.path = path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        guard Self.run("mount", "-t", "tmpfs", "-o", "size=\(bytes)", "tmpfs", path) == 0 else {
            throw TestFailure("cannot mount a tmpfs at \(path); \(Self.needs)")
        }
    }

    deinit { unmount() }

    /// Makes a user its owner.
    func give(to user: String) throws {
        guard Self.run("chown", user, path) == 0 else { throw TestFailure("cannot give \(path) to \(user)") }
    }

    /// Takes all the room that is left.
    func fill() throws {
        let descriptor = open(path + "/ballast", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        guard descriptor >= 0 else { throw TestFailure("cannot make a ballast: errno \(errno)") }
        defer { close(descriptor) }
        for size in [1 << 20, 4096, 1] {
            let block = [UInt8](repeating: 1, count: size)
            while write(descriptor, block, size) == size {}
        }
    }

    /// Gives it back.
    func empty() {
        unlink(path + "/ballast")
    }

    func unmount() {
        guard isMounted else { return }
        isMounted = false
        Self.run("umount", "-l", path)
    }

    @discardableResult
    private static func run(_ name: String, _ arguments: String...) -> Int32 {
        (try? Program.run(name, arguments).code) ?? -1
    }
}
