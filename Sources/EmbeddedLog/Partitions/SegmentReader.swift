import Synchronization

/// Reads one segment file up to what was flushed, checking every batch.
struct SegmentReader {
    let log: EmbeddedLog
    let partition: PartitionLog
    let base: Int64
    let flushedSize: Int
    let version: Int

    init(_ log: EmbeddedLog, _ partition: PartitionLog, _ segment: Segment) {
        self.log = log
        self.partition = partition
        base = segment.base
        flushedSize = segment.flushedSize
        version = segment.version
    }

    /// Whether the segment is still the one that was looked up: else an error, or a file opened just now,
    /// says nothing about it.
    var isCurrent: Bool {
        partition.state.withLock { state in !state.deleted && state.segments.contains { $0.base == base && $0.version == version } }
    }

    /// The segment's open file; `nil` if it is not what it was.
    private func file() throws(LogError) -> (any LogFile)? {
        let file = try log.files.file(partition, base, version: version)
        return isCurrent ? file : nil
    }

    private var path: String { partition.path(segment: base) }

    /// Whole batches from the one that holds `offset` on; `nil` if the segment has none.
    func read(from offset: Int64, maxBytes: Int) throws(LogError) -> LogChunk? {
        guard let file = try file() else { throw superseded() }
        var position = try index(file).position(relativeOffset: offset - base)
        // Room for what lies between the index entry and the offset.
        var window = max(maxBytes, 0) + SegmentIndex.interval + BatchHeader.bytes
        while position < flushedSize {
            let chunk = LogChunk(capacity: min(window, flushedSize - position), from: offset, path: path)
            let space = UnsafeMutableRawBufferPointer(start: chunk.memory, count: min(window, flushedSize - position))
            let count = try file.read(into: space, at: Int64(position))
            var start = 0
            while let header = BatchHeader(chunk.memory + start, available: count - start), header.lastOffset < offset {
                start += header.totalBytes
                if start >= count { break }
            }
            if start >= count {
                if count < space.count { throw cutShort(position + count) }
                position += start
                continue
            }
            let end = try wholeBatches(chunk.memory, start, count, position, maxBytes)
            if end > start {
                chunk.finish(start: start, end: end)
                return chunk
            }
            if count < space.count { throw cutShort(position + count) }
            position += start
            window = max(2 * window, try batchBytes(file, at: position))
        }
        return nil
    }

    /// Where the checked batches that fit end.
    private func wholeBatches(
        _ memory: UnsafeMutableRawPointer, _ start: Int, _ count: Int, _ position: Int, _ maxBytes: Int
    ) throws(LogError) -> Int {
        var end = start
        while end < count {
            guard let header = BatchHeader(memory + end, available: count - end) else {
                if count - end < BatchHeader.bytes { break }
                throw notABatch(position + end)
            }
            if end + header.totalBytes > count || (end > start && end - start + header.totalBytes > maxBytes) { break }
            guard header.checksumMatches(memory + end) else { throw mismatch(header, position + end) }
            end += header.totalBytes
        }
        return end
    }

    /// Offset of the first record with a timestamp at or after one.
    func offset(atOrAfter timestamp: Int64) throws(LogError) -> Int64? {
        guard let file = try file() else { throw superseded() }
        let index = try index(file)
        if index.coveredBytes >= flushedSize, index.maxTimestamp < timestamp { return nil }
        var position = index.position(timestamp: timestamp)
        while position < flushedSize {
            let head = try header(file, at: position)
            if head.maxTimestamp >= timestamp {
                let bytes = try file.readBytes(count: head.totalBytes, at: Int64(position))
                let chunk = bytes.withUnsafeBytes { LogChunk(copying: $0, from: head.baseOffset, path: path) }
                var cursor = chunk.records()
                while try cursor.next() { if cursor.timestamp >= timestamp { return cursor.offset } }
            }
            position += head.totalBytes
        }
        return nil
    }

    /// Largest timestamp in the segment.
    func maxTimestamp() throws(LogError) -> Int64 {
        guard let file = try file() else { throw superseded() }
        return try index(file).maxTimestamp
    }

    /// Never leaves the log: whoever asked looks the segment up again.
    private func superseded() -> LogError { LogError(.io, "the segment was replaced while it was read", path: path) }

    /// The segment's index: in memory, else from its file, else rebuilt from the segment.
    private func index(_ file: any LogFile) throws(LogError) -> SegmentIndex {
        let kept = partition.state.withLock { state in state.segments.last { $0.base == base && $0.version == version }?.index }
        if let kept { return kept }
        let saved = try savedIndex()
        let built = if let saved { saved } else { try rebuiltIndex(file) }
        partition.state.withLock { state in
            guard let place = state.segments.lastIndex(where: { $0.base == base && $0.version == version }) else { return }
            guard state.segments[place].index == nil, state.segments[place].flushedSize == built.coveredBytes else { return }
            // One loaded index a partition bounds the memory of readers that go through old segments.
            for other in state.segments.indices where state.segments[other].indexSaved { state.segments[other].index = nil }
            state.segments[place].index = built
            state.segments[place].maxTimestamp = built.maxTimestamp
        }
        return built
    }

    private func savedIndex() throws(LogError) -> SegmentIndex? {
        let path = partition.indexPath(segment: base)
        guard let size = try log.storage.size(path) else { return nil }
        let bytes = try log.storage.open(path, create: false).readBytes(count: Int(size), at: 0)
        guard let index = SegmentIndex(bytes), index.coveredBytes == flushedSize else { return nil }
        return index
    }

    private func rebuiltIndex(_ file: any LogFile) throws(LogError) -> SegmentIndex {
        var index = SegmentIndex()
        var window: [UInt8] = []
        var windowStart = 0
        while index.coveredBytes < flushedSize {
            let position = index.coveredBytes
            if position + BatchHeader.bytes > windowStart + window.count {
                window = try file.readBytes(count: min(256 << 10, flushedSize - position), at: Int64(position))
                windowStart = position
            }
            let header = window.withUnsafeBytes { bytes in
                position - windowStart < bytes.count
                    ? BatchHeader(bytes.baseAddress! + (position - windowStart), available: bytes.count - (position - windowStart)) : nil
            }
            guard let header else { throw notABatch(position) }
            index.add(relativeOffset: header.baseOffset - base, bytes: header.totalBytes, maxTimestamp: header.maxTimestamp)
        }
        return index
    }

    private func header(_ file: any LogFile, at position: Int) throws(LogError) -> BatchHeader {
        let bytes = try file.readBytes(count: BatchHeader.bytes, at: Int64(position))
        guard bytes.count == BatchHeader.bytes, let header = bytes.withUnsafeBytes({ BatchHeader($0.baseAddress!, available: $0.count) }) else {
            throw bytes.count < BatchHeader.bytes ? cutShort(position + bytes.count) : notABatch(position)
        }
        return header
    }

    private func batchBytes(_ file: any LogFile, at position: Int) throws(LogError) -> Int {
        try header(file, at: position).totalBytes
    }

    private func cutShort(_ position: Int) -> LogError {
        LogError(
            .damaged, "the segment ends here, but \(flushedSize) bytes of it were written; restore the file from a copy", path: path,
            filePosition: Int64(position))
    }

    private func notABatch(_ position: Int) -> LogError {
        LogError(
            .damaged, "no record batch (magic 2) where one was written; restore the file from a copy, \(LogError.lastResort)",
            path: path, filePosition: Int64(position))
    }

    private func mismatch(_ header: BatchHeader, _ position: Int) -> LogError {
        LogError(
            .checksumMismatch,
            "the batch of offsets \(header.baseOffset) to \(header.lastOffset) does not have its checksum \(String(header.checksum, radix: 16)); "
                + "restore the file from a copy, \(LogError.lastResort)",
            path: path, filePosition: Int64(position))
    }
}
