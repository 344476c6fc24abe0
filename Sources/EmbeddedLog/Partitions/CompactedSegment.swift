/// The segment that compaction writes: batches keep their offsets, timestamps and compression, and lose records.
///
/// They still follow each other without a gap: a batch whose followers lost all records covers their offsets too.
struct CompactedSegment {
    private static let bufferBytes = 1 << 20

    private let base: Int64
    private let file: any LogFile
    private var buffer: [UInt8] = []
    private var written = 0
    /// Where in the buffer the last complete batch starts; it may yet have to cover more. -1 if there is none.
    private var lastStart = -1
    /// The offset after what the batches so far cover.
    private var covered: Int64
    private(set) var index = SegmentIndex()
    private(set) var removedAny = false

    init(base: Int64, file: any LogFile) {
        self.base = base
        self.file = file
        covered = base
    }

    /// Bytes so far.
    var byteCount: Int { written + buffer.count }

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
                if let header = BatchHeader(chunk.memory + batch, available: chunk.end - batch) { cover(upTo: header.baseOffset) }
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
        if buffer.count >= Self.bufferBytes { try flush(upTo: lastStart) }
        return last
    }

    /// Writes the rest and makes it durable.
    /// - Parameter end: the offset at which the next segment starts.
    mutating func finish(upTo end: Int64) throws(LogError) {
        cover(upTo: end)
        endLast()
        try flush(upTo: buffer.count)
        try file.sync()
    }

    private mutating func flush(upTo end: Int) throws(LogError) {
        if end <= 0 { return }
        try file.write(bytes: Array(buffer[..<end]), at: Int64(written))
        written += end
        buffer.removeFirst(end)
        lastStart -= end
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
        buffer.withUnsafeMutableBytes { bytes in
            guard let batch = bytes.baseAddress.map({ $0 + start }) else { return }
            batch.storeBigEndian(Int32(size - BatchHeader.lengthEnd), at: 8)
            batch.storeBigEndian(count, at: 57)
            BatchHeader.seal(batch, count: size)
        }
        endLast()
        lastStart = start
        covered = max(covered, header(at: start)?.nextOffset ?? covered)
    }

    /// Lets the last batch cover offsets that hold no record any more.
    private mutating func cover(upTo end: Int64) {
        guard end > covered else { return }
        if let last = header(at: lastStart), end - 1 - last.baseOffset <= Int64(Int32.max) {
            let start = lastStart
            buffer.withUnsafeMutableBytes { bytes in
                guard let batch = bytes.baseAddress.map({ $0 + start }) else { return }
                batch.storeBigEndian(Int32(end - 1 - last.baseOffset), at: 23)
                BatchHeader.seal(batch, count: last.totalBytes)
            }
            covered = end
        }
        while covered < end {
            endLast()
            lastStart = buffer.count
            buffer += BatchHeader.filler(for: covered..<end)
            covered = header(at: lastStart)?.nextOffset ?? end
        }
    }

    /// Takes the last batch into the index: it changes no more.
    private mutating func endLast() {
        guard let last = header(at: lastStart) else { return }
        index.add(relativeOffset: last.baseOffset - base, bytes: last.totalBytes, maxTimestamp: last.maxTimestamp)
        lastStart = -1
    }

    private func header(at start: Int) -> BatchHeader? {
        guard start >= 0 else { return nil }
        return buffer.withUnsafeBytes { bytes in BatchHeader(bytes.baseAddress! + start, available: bytes.count - start) }
    }
}
