import Martlet

/// What waits for a slow client where the oldest may be dropped: `"slow_client": "drop_oldest"`.
struct Backlog {
    private var chunks: [HTTPChunk] = []
    private var head = 0
    private(set) var bytes = 0
    /// Chunks that were dropped since the client was last told.
    private(set) var dropped = 0

    var isEmpty: Bool { head == chunks.count }
    var first: HTTPChunk? { isEmpty ? nil : chunks[head] }

    /// Adds a chunk, and drops the oldest until no more than `limit` bytes wait.
    mutating func append(_ chunk: HTTPChunk, limit: Int) {
        chunks.append(chunk)
        bytes += chunk.framed.count
        while bytes > limit, first != nil {
            removeFirst()
            dropped += 1
        }
    }

    mutating func removeFirst() {
        bytes -= chunks[head].framed.count
        head += 1
        if head >= 64 || head == chunks.count {
            chunks.removeFirst(head)
            head = 0
        }
    }

    /// The client has been told of those dropped.
    mutating func told() {
        dropped = 0
    }
}
