import Martlet

/// Bytes on their way to one client. Large pieces are shared between clients, small ones are put together.
struct OutputQueue {
    private enum Piece {
        case shared(Bytes)
        case own([UInt8])
    }

    /// From this size on a piece is sent by itself rather than copied.
    private static let sharedBytesMin = 4_096

    private var pieces = FIFOQueue<Piece>()
    /// What follows the pieces.
    private var tail: [UInt8] = []
    /// How much of the first piece is sent.
    private var sent = 0
    private(set) var count = 0

    mutating func append(_ bytes: [UInt8]) {
        tail.append(contentsOf: bytes)
        count += bytes.count
    }

    mutating func append(_ bytes: Bytes) {
        count += bytes.count
        if bytes.count < Self.sharedBytesMin {
            tail.append(bytes)
        } else {
            closeTail()
            pieces.append(.shared(bytes))
        }
    }

    private mutating func closeTail() {
        guard !tail.isEmpty else { return }
        pieces.append(.own(tail))
        tail = []
    }

    /// Hands the next bytes to `send`, which returns how many it has taken.
    ///
    /// - Returns: whether it has taken all of them; false as well if there are none.
    mutating func sendNext(_ send: (UnsafeRawBufferPointer) -> Int) -> Bool {
        if pieces.count == 0 { closeTail() }
        guard pieces.count > 0 else { return false }
        let (taken, size) =
            switch pieces[0] {
            case .shared(let bytes): (bytes.withUnsafeBytes { send(UnsafeRawBufferPointer(rebasing: $0[sent...])) }, bytes.count)
            case .own(let bytes): (bytes.withUnsafeBytes { send(UnsafeRawBufferPointer(rebasing: $0[sent...])) }, bytes.count)
            }
        sent += taken
        count -= taken
        guard sent == size else { return false }
        _ = pieces.removeFirst()
        sent = 0
        return true
    }
}
