import Glibc

/// Which file stands at a path. SQLite goes on writing to a file that was deleted or replaced under it, and what is
/// written there is lost; a look at the path before each transaction notices it.
struct FileIdentity: Equatable {
    private let device: UInt
    private let number: UInt

    /// Nil if there is no file, or it cannot be seen.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = UInt(status.st_dev)
        number = UInt(status.st_ino)
    }
}
