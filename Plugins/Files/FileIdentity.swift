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
    private static let emptyHash: UInt64 = 0xCBF2_9CE4_8422_2325

    /// How many bytes there are, and their FNV-1a hash.
    private(set) var count: Int
    private(set) var hash: UInt64

    static let empty = FileHead(count: 0, hash: emptyHash)

    init(count: Int, hash: UInt64) {
        self.count = count
        self.hash = count == 0 ? Self.emptyHash : hash
    }

    /// The head of an open file; nil if it is shorter.
    init?(of descriptor: CInt, count: Int) {
        self = .empty
        let isWhole = withUnsafeTemporaryAllocation(byteCount: max(count, 1), alignment: 1) { bytes in
            guard pread(descriptor, bytes.baseAddress, count, 0) == count else { return false }
            extend(with: UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: 0)
            return true
        }
        guard isWhole else { return nil }
    }

    /// Takes up what was read from the file at this offset, as far as it follows the head and there is room.
    mutating func extend(with bytes: UnsafeRawBufferPointer, at offset: Int) {
        guard offset <= count else { return }
        for byte in bytes.dropFirst(count - offset).prefix(FileIdentity.headLimit - count) {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
            count += 1
        }
    }
}
