import Martlet

/// What a shard is about to write: chunks of one batch wait for its end, so that several for one connection take one
/// write.
struct Outbox {
    /// Bytes that are put together into one write.
    static let joinLimit = 32 * 1024

    /// Connections with outgoing chunks.
    var dirty: [Connection] = []
    /// The last chunk that was put together. With many connections on one key the next one often needs the same.
    private var lastJoined: (parts: [HTTPChunk], chunk: HTTPChunk)?

    /// One chunk with the content of all.
    mutating func joined(_ parts: [HTTPChunk]) -> HTTPChunk {
        if parts.count == 1 { return parts[0] }
        if let last = lastJoined, last.parts.count == parts.count,
            zip(last.parts, parts).allSatisfy({ $0 === $1 })
        {
            return last.chunk
        }
        let chunk = HTTPChunk(joining: parts)
        lastJoined = (parts, chunk)
        return chunk
    }

    /// To be called at the end of a batch, so that nothing is kept alive.
    mutating func forget() {
        lastJoined = nil
    }
}
