import Glibc
import Martlet

/// Cuts what a process writes into lines.
struct LineBuffer {
    /// What happens to a line that is too long.
    enum Overflow {
        /// It is an error.
        case refuse
        /// Its beginning counts as the line, the rest is dropped.
        case cut
    }

    /// What a read came to.
    enum Reading {
        /// There may be more later.
        case waiting
        case ended
    }

    struct TooLong: Error {}

    private static let chunkBytes = 65_536

    private var bytes: [UInt8] = []
    /// Where the search for a line end goes on.
    private var searched = 0
    private var isDropping = false
    private let limit: Int
    private let overflow: Overflow

    init(limit: Int, overflow: Overflow) {
        self.limit = limit
        self.overflow = overflow
    }

    /// Reads once what the descriptor has and hands the finished lines over, without their ends.
    ///
    /// - Returns: nil if there was something and there may be more at once.
    mutating func read(_ descriptor: CInt, _ take: (Bytes) throws -> Void) throws -> Reading? {
        let count = withUnsafeTemporaryAllocation(byteCount: Self.chunkBytes, alignment: 1) { chunk in
            let count = Glibc.read(descriptor, chunk.baseAddress, chunk.count)
            if count > 0 { bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: chunk[..<count])) }
            return count
        }
        if count == 0 { return .ended }
        if count < 0 { return errno == EAGAIN || errno == EINTR ? .waiting : .ended }
        try takeLines(take)
        return nil
    }

    private mutating func takeLines(_ take: (Bytes) throws -> Void) throws {
        var start = 0
        while let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = bytes[start..<end]
            start = end + 1
            searched = start
            if isDropping {
                isDropping = false
            } else if line.count <= limit {
                try take(line.withUnsafeBytes { Bytes(copying: $0) })
            } else {
                try tooLong(line, take)
            }
        }
        bytes.removeFirst(start)
        searched = bytes.count
        guard bytes.count > limit else { return }
        if !isDropping { try tooLong(bytes[...], take) }
        isDropping = true
        bytes.removeAll(keepingCapacity: true)
        searched = 0
    }

    private func tooLong(_ line: ArraySlice<UInt8>, _ take: (Bytes) throws -> Void) throws {
        guard overflow == .cut else { throw TooLong() }
        try take(Bytes(Array(line.prefix(limit) + Array("…".utf8))))
    }
}
