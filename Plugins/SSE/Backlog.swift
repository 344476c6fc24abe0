import Martlet

/// What waits for a slow client where the oldest may be dropped: `"slow_client": "drop_oldest"`.
struct Backlog {
    /// A chunk, and what it is.
    struct Piece {
        let chunk: HTTPChunk
        /// False for a heartbeat or a note.
        let isEvent: Bool
    }

    private var pieces: [Piece] = []
    private var head = 0
    private(set) var bytes = 0
    /// Events that were dropped since the client was last told.
    private(set) var dropped = 0

    var isEmpty: Bool { head == pieces.count }
    var first: Piece? { isEmpty ? nil : pieces[head] }

    /// Adds a piece, and drops the oldest until no more than `limit` bytes wait.
    mutating func append(_ piece: Piece, limit: Int) {
        pieces.append(piece)
        bytes += piece.chunk.framed.count
        while bytes > limit, let oldest = first {
            removeFirst()
            if oldest.isEvent { dropped += 1 }
        }
    }

    mutating func removeFirst() {
        bytes -= pieces[head].chunk.framed.count
        head += 1
        if head >= 64 || head == pieces.count {
            pieces.removeFirst(head)
            head = 0
        }
    }

    /// The client has been told of those dropped.
    mutating func told() {
        dropped = 0
    }
}
