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

    /// Whole batches from the one that holds `offset` on; `nil` if the segment ends before it.
    func read(from offset: Int64, maxBytes: Int) throws(LogError) -> LogChunk? {
        guard let file = try file() else { throw superseded() }
        let place = try index(file).place(relativeOffset: offset - base)
        var position = place.position
        var next = place.relativeOffset.map { base + $0 }
        // Room for what lies between the index entry and the offset.
        var window = max(maxBytes, 0) + SegmentIndex.interval + BatchHeader.bytes
        while position < flushedSize {
            let chunk = LogChunk(capacity: min(window, flushedSize - position), from: offset, path: path)
            let space = UnsafeMutableRawBufferPointer(start: chunk.memory, count: min(window, flushedSize - position))
            let count = try file.read(into: space, at: Int64(position))
            var start = 0
            while let header = BatchHeader(chunk.memory + start, available: count - start), header.lastOffset < offset {
                try check(header, follows: &next, position + start)
                start += header.totalBytes
                if start >= count { break }
            }
            if start >= count {
                if count < space.count { throw cutShort(position + count) }
                position += start
                continue
            }
            let end = try wholeBatches(chunk.memory, start, count, position, maxBytes, next)
            if end > start {
                chunk.finish(start: start, end: end)
                return chunk
            }
            if count < space.count { throw cutShort(position + count) }
            position += start
            let needed = try batchBytes(file, at: position)
            if needed > flushedSize - position {
                throw LogError(
                    .damaged, "a batch of \(needed) bytes lies \(flushedSize - position) before the end; restore the file from a copy, "
                        + LogError.lastResort, path: path, filePosition: Int64(position))
            }
            window = max(2 * window, needed)
        }
        return nil
    }

    /// Where the checked batches that fit end.
    private func wholeBatches(
        _ memory: UnsafeMutableRawPointer, _ start: Int, _ count: Int, _ position: Int, _ maxBytes: Int, _ next: Int64?
    ) throws(LogError) -> Int {
        var end = start
        var next = next
        while end < count {
            guard let header = BatchHeader(memory + end, available: count - end) else {
                if count - end < BatchHeader.bytes { break }
                throw notABatch(position + end)
            }
            if end + header.totalBytes > count || (end > start && end - start + header.totalBytes > maxBytes) { break }
            try check(header, follows: &next, position + end)
            guard header.checksumMatches(memory + end) else { throw mismatch(header, position + end) }
            end += header.totalBytes
        }
        return end
    }

    /// A batch's checksum does not cover its base offset; that it follows the batch before does.
    private func check(_ header: BatchHeader, follows next: inout Int64?, _ position: Int) throws(LogError) {
        if let next, header.baseOffset != next {
            throw LogError(
                .damaged, "a batch with base offset \(header.baseOffset) lies where \(next) belongs; restore the file from a copy, "
                    + LogError.lastResort, path: path, filePosition: Int64(position))
        }
        next = header.nextOffset
    }

    /// Offset of the first record with a timestamp at or after one.
    func offset(atOrAfter timestamp: Int64) throws(LogError) -> Int64? {
        guard let file = try file() else { throw superseded() }
        let index = try index(file)
        if index.coveredBytes >= flushedSize, index.maxTimestamp < timestamp { return nil }
        let place = index.place(timestamp: timestamp)
        var position = place.position
        var next = place.relativeOffset.map { base + $0 }
        while position < flushedSize {
            let head = try header(file, at: position)
            try check(head, follows: &next, position)
            if head.maxTimestamp >= timestamp {
                let bytes = try file.readBytes(count: head.totalBytes, at: Int64(position))
                if bytes.count < head.totalBytes { throw cutShort(position + bytes.count) }
                let chunk = bytes.withUnsafeBytes { LogChunk(copying: $0, from: head.baseOffset, path: path) }
                if !head.checksumMatches(chunk.memory) { throw mismatch(head, position) }
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
        let window = FileWindow(file, size: flushedSize)
        var next: Int64? = base
        var isIntact = true
        while index.coveredBytes < flushedSize {
            let position = index.coveredBytes
            guard let header = try window.header(at: position) else { throw notABatch(position) }
            try check(header, follows: &next, position)
            guard let batch = try window.pointer(at: position, count: header.totalBytes) else { throw cutShort(flushedSize) }
            // What is damaged is refused when it is read; until then retention must not go by its timestamps.
            if isIntact { isIntact = header.checksumMatches(batch) }
            index.add(relativeOffset: header.baseOffset - base, bytes: header.totalBytes, maxTimestamp: header.maxTimestamp)
        }
        if !isIntact { index.distrustTimestamps() }
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
            .damaged, "the segment ends here, but \(flushedSize) bytes of it were written; restore the file from a copy, "
                + LogError.lastResort, path: path, filePosition: Int64(position))
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
