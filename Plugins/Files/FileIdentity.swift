import Glibc
import Martlet

/// What a file is, whatever it is called: device and inode, and its first bytes, since inodes are given out again.
struct FileIdentity: Hashable, Sendable {
    /// At most so many bytes are compared.
    static let headLimit = 256

    let device: UInt64
    let inode: UInt64

    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }

    init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    static func status(of descriptor: CInt) -> stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }
}

/// The first bytes of a file, as far as it has been read.
struct FileHead: Sendable, Equatable {
    /// How many bytes there are, and their FNV-1a hash.
    let count: Int
    let hash: UInt64

    static let empty = FileHead(count: 0, hash: 0)

    init(count: Int, hash: UInt64) {
        self.count = count
        self.hash = hash
    }

    /// The head of an open file; nil if it is shorter.
    init?(of descriptor: CInt, count: Int) {
        var bytes = [UInt8](repeating: 0, count: count)
        guard count == 0 || pread(descriptor, &bytes, count, 0) == count else { return nil }
        self.count = count
        hash = count == 0 ? 0 : bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
