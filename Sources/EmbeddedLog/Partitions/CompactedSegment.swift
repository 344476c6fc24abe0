/// The segment that compaction writes: batches keep their offsets, timestamps and compression, and lose records.
struct CompactedSegment {
    private static let bufferBytes = 1 << 20

    private let base: Int64
    private let file: any LogFile
    private var buffer: [UInt8] = []
    private var written = 0
    private(set) var index = SegmentIndex()
    private(set) var removedAny = false

    init(base: Int64, file: any LogFile) {
        self.base = base
        self.file = file
    }

    /// Adds what stays of a chunk: records after `last` that `keeps` wants, and control records.
    /// - Returns: the last offset seen.
    mutating func add(_ chunk: LogChunk, after last: Int64, keeps: (RecordCursor) -> Bool) throws(LogError) -> Int64 {
        var last = last
        var batch = -1
        var start = buffer.count
        var count: Int32 = 0
        var cursor = chunk.records()
        while try cursor.next() {
            if cursor.batchStart != batch {
                endBatch(start, count)
                batch = cursor.batchStart
                start = buffer.count
                count = 0
                buffer.append(contentsOf: UnsafeRawBufferPointer(start: chunk.memory + batch, count: BatchHeader.bytes))
            }
            if cursor.offset > last, cursor.isControl || keeps(cursor) {
                buffer.append(contentsOf: cursor.recordBytes)
                count += 1
            } else {
                removedAny = true
            }
            last = max(last, cursor.offset)
        }
        endBatch(start, count)
        if buffer.count >= Self.bufferBytes { try flush() }
        return last
    }

    /// Writes the rest and makes it durable.
    mutating func finish() throws(LogError) {
        try flush()
        try file.sync()
    }

    private mutating func flush() throws(LogError) {
        try file.write(bytes: buffer, at: Int64(written))
        written += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }

    /// Compresses the records of the batch that starts at `start` as they were; leaves them if they would not shrink.
    private mutating func compress(_ start: Int) {
        let records = start + BatchHeader.bytes
        let (attributes, smaller) = buffer.withUnsafeBytes { bytes -> (Int16, [UInt8]?) in
            guard let batch = bytes.baseAddress.map({ $0 + start }) else { return (0, nil) }
            let attributes = batch.bigEndian(at: 21, as: Int16.self)
            guard let compression = Compression(code: attributes & BatchHeader.compressionMask) else { return (attributes, nil) }
            let smaller = BatchEncoder.compress(UnsafeRawBufferPointer(rebasing: bytes[records...]), with: compression) { Array($0) }
            return (smaller == nil ? attributes & ~BatchHeader.compressionMask : attributes, smaller)
        }
        if let smaller { buffer.replaceSubrange(records..., with: smaller) }
        buffer.withUnsafeMutableBytes { bytes in
            if let base = bytes.baseAddress { (base + start).storeBigEndian(attributes, at: 21) }
        }
    }

    /// Closes the batch that starts at `start` of the buffer: fixes its header, or drops it if empty.
    private mutating func endBatch(_ start: Int, _ count: Int32) {
        guard buffer.count > start else { return }
        if count == 0 {
            buffer.removeLast(buffer.count - start)
            return
        }
        compress(start)
        let size = buffer.count - start
        var entry: (offset: Int64, timestamp: Int64) = (0, 0)
        buffer.withUnsafeMutableBytes { bytes in
            guard let batch = bytes.baseAddress.map({ $0 + start }) else { return }
            batch.storeBigEndian(Int32(size - BatchHeader.lengthEnd), at: 8)
            batch.storeBigEndian(count, at: 57)
            let covered = UnsafeRawBufferPointer(start: batch + BatchHeader.checksumStart, count: size - BatchHeader.checksumStart)
            batch.storeBigEndian(CRC32C.of(covered), at: 17)
            if let header = BatchHeader(batch, available: size) { entry = (header.baseOffset, header.maxTimestamp) }
        }
        index.add(relativeOffset: entry.offset - base, bytes: size, maxTimestamp: entry.timestamp)
    }
}
