/// What a segment file should hold: pieces of files as they are, and fillers for what is lost.
struct PlannedSegment {
    enum Piece {
        /// Bytes of this segment's own file.
        case own(Range<Int>)
        /// Bytes of another file: of the journal.
        case other(any LogFile, Range<Int>)
        case filler(Range<Int64>)

        var byteCount: Int {
            switch self {
            case .own(let bytes), .other(_, let bytes): bytes.count
            case .filler(let offsets): BatchHeader.fillers(for: offsets).count
            }
        }
    }

    let base: Int64
    /// Size of the file that is there; 0 if there is none.
    let fileSize: Int
    /// Bytes of that file that are on the disk for certain; what a process wrote before it died may be in the system's cache only.
    let durableBytes: Int
    private(set) var pieces: [Piece] = []
    private(set) var size = 0
    var maxTimestamp = Int64.min

    init(base: Int64, fileSize: Int, durableBytes: Int) {
        self.base = base
        self.fileSize = fileSize
        self.durableBytes = durableBytes
    }

    /// Bytes at the file's start that stay where they are, with nothing but other files' bytes behind them; 0 if the file has
    /// to be written anew.
    var untouchedBytes: Int {
        guard case .own(let bytes)? = pieces.first, bytes.lowerBound == 0 else { return 0 }
        for piece in pieces.dropFirst() { if case .own = piece { return 0 } }
        return bytes.upperBound
    }

    var isUnchanged: Bool { fileSize == size && untouchedBytes == size && durableBytes >= size }

    mutating func append(_ piece: Piece) {
        size += piece.byteCount
        if case .own(let last)? = pieces.last, case .own(let next) = piece, last.upperBound == next.lowerBound {
            pieces[pieces.count - 1] = .own(last.lowerBound..<next.upperBound)
        } else {
            pieces.append(piece)
        }
    }
}

extension BatchHeader {
    /// As many fillers as a range of offsets needs.
    static func fillers(for offsets: Range<Int64>) -> [UInt8] {
        var bytes: [UInt8] = []
        var next = offsets.lowerBound
        while next < offsets.upperBound {
            bytes += filler(for: next..<offsets.upperBound)
            next += min(offsets.upperBound - next, Int64(Int32.max))
        }
        return bytes
    }
}
