import Glibc

/// The decompressed records of a chunk's batches, in blocks of memory that never move.
///
/// Memory follows what was really decompressed, never what a batch says of itself: a batch whose stated size is out of
/// proportion is tried with twice the room each time, up to ``maxBatchBytes``.
struct InflatedRecords: ~Copyable {
    /// The records of one batch; 64 zero bytes follow.
    struct Batch: @unchecked Sendable {
        // Unchecked: the memory belongs to the chunk, and is not written again.
        let start: Int
        let memory: UnsafeRawPointer
        let count: Int
    }

    /// The most that the records of one batch may have: more is refused as `log.decompressed_too_large`.
    static let maxBatchBytes = 64 << 20
    /// A stated size up to so many times the compressed one is believed.
    private static let plausibleRatio = 32

    private var batches: [Batch] = []
    private var blocks: [UnsafeMutableRawPointer] = []
    private var used = 0
    private var capacity = 0

    deinit { for block in blocks { free(block) } }

    /// The batch that starts at a place of the chunk, if it was decompressed already.
    func batch(at start: Int) -> Batch? {
        let index = batches.partitionIndex { $0.start >= start }
        return index < batches.count && batches[index].start == start ? batches[index] : nil
    }

    /// Decompresses a batch.
    /// - Parameters:
    ///   - start: its place in the chunk.
    ///   - blockBytes: a good size for a new block of memory.
    mutating func inflate(
        _ bytes: UnsafeRawBufferPointer, _ compression: Compression, at start: Int, blockBytes: Int
    ) throws(Refusal) -> Batch {
        var wanted = try firstGuess(bytes, compression)
        while true {
            let room = reserve(wanted, blockBytes)
            switch BatchDecoder.withDecoder({ $0.decode(bytes, compression, into: room) }) {
            case .done(let count):
                guard let memory = room.baseAddress else { throw .broken("no memory") }
                memset(memory + count, 0, LogChunk.padding)
                used += (count + LogChunk.padding + 7) / 8 * 8
                let batch = Batch(start: start, memory: memory, count: count)
                batches.insert(batch, at: batches.partitionIndex { $0.start >= start })
                return batch
            case .full where room.count >= Self.maxBatchBytes: throw .tooLarge(nil)
            case .full: wanted = min(2 * room.count, Self.maxBatchBytes)
            case .broken(let reason): throw .broken(reason)
            }
        }
    }

    /// Why a batch was not decompressed.
    enum Refusal: Error {
        /// With the size that it says it has.
        case tooLarge(UInt64?)
        case broken(String)
    }

    private func firstGuess(_ bytes: UnsafeRawBufferPointer, _ compression: Compression) throws(Refusal) -> Int {
        let stated = BatchDecoder.statedSize(bytes, compression)
        if let stated {
            if stated > UInt64(Self.maxBatchBytes) { throw .tooLarge(stated) }
            if stated <= UInt64(Self.plausibleRatio * bytes.count) { return Int(stated) }
        }
        return min(4 * bytes.count + 1024, Self.maxBatchBytes)
    }

    /// Room for `wanted` bytes and the padding, or more.
    private mutating func reserve(_ wanted: Int, _ blockBytes: Int) -> UnsafeMutableRawBufferPointer {
        if capacity - used < wanted + LogChunk.padding + 8 {
            if used == 0, let unused = blocks.popLast() { free(unused) }
            capacity = max(wanted + LogChunk.padding + 8, min(blockBytes, 256 << 10))
            used = 0
            blocks.append(malloc(capacity)!)
        }
        let count = min(capacity - used - LogChunk.padding - 8, Self.maxBatchBytes)
        return UnsafeMutableRawBufferPointer(start: blocks[blocks.count - 1] + used, count: count)
    }
}
