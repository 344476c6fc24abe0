/// Walks the batches of a segment file, checks all there is to check, and finds the way back behind damage.
struct SegmentWalk {
    /// Intact batches that follow each other.
    struct Run {
        var offsets: Range<Int64>
        var bytes: Range<Int>
        var batches = 0
        var records = 0
        var maxTimestamp = Int64.min
    }

    enum Piece {
        case intact(Run)
        /// - Parameter offsets: those that are missing; up to the greatest there is, at the end of the file.
        case damaged(bytes: Range<Int>, offsets: Range<Int64>, problem: String)
    }

    private let window: FileWindow
    private let path: String
    /// Bytes that were recorded: damage in them is passed, the first damage after them ends the walk.
    private let recorded: Int
    private let topic: String
    private var position = 0
    /// The offset after what was seen.
    private(set) var offset: Int64
    /// Positions and offsets of batches, for comparison with the index file.
    private(set) var index = SegmentIndex()
    private let base: Int64

    init(_ file: any LogFile, path: String, base: Int64, size: Int, recorded: Int, topic: String) {
        window = FileWindow(file, size: size)
        self.path = path
        self.recorded = min(recorded, size)
        self.topic = topic
        self.base = base
        offset = base
    }

    /// The next piece of the file; `nil` at the end, or at what is no more part of the log.
    mutating func next() throws(LogError) -> Piece? {
        if position >= window.size { return nil }
        var run = Run(offsets: offset..<offset, bytes: position..<position)
        while position < window.size, let batch = try intactBatch(at: position), batch.header.baseOffset == offset {
            index.add(relativeOffset: offset - base, bytes: batch.header.totalBytes, maxTimestamp: batch.header.maxTimestamp)
            position += batch.header.totalBytes
            offset = batch.header.nextOffset
            run.batches += 1
            run.records += batch.records
            run.maxTimestamp = max(run.maxTimestamp, batch.header.maxTimestamp)
        }
        if run.batches > 0 {
            run.offsets = run.offsets.lowerBound..<offset
            run.bytes = run.bytes.lowerBound..<position
            return .intact(run)
        }
        if position >= recorded {
            position = window.size
            return nil
        }
        let problem = try problem(at: position)
        let (start, missing) = (position, offset)
        try findNextBatch()
        return .damaged(bytes: start..<position, offsets: missing..<(position < window.size ? offset : .max), problem: problem)
    }

    /// A batch whose checksum is right and whose records can be read, wherever it belongs.
    private func intactBatch(at position: Int) throws(LogError) -> (header: BatchHeader, records: Int)? {
        guard let header = try window.header(at: position), let bytes = try window.pointer(at: position, count: header.totalBytes),
            header.checksumMatches(bytes)
        else { return nil }
        return records(of: header, bytes).map { (header, $0) }
    }

    /// Records in a batch; `nil` if they cannot be read.
    private func records(of header: BatchHeader, _ bytes: UnsafeRawPointer) -> Int? {
        let chunk = LogChunk(
            copying: UnsafeRawBufferPointer(start: bytes, count: header.totalBytes), from: header.baseOffset, path: path)
        var cursor = chunk.records()
        var count = 0
        var last = header.baseOffset - 1
        do throws(LogError) {
            while try cursor.next() {
                guard cursor.offset > last, cursor.offset <= header.lastOffset else { return nil }
                if !isKey(cursor.key) { return nil }
                last = cursor.offset
                count += 1
            }
        } catch {
            return nil
        }
        return count
    }

    /// The log's own topics have keys that can be read.
    private func isKey(_ key: UnsafeRawBufferPointer?) -> Bool {
        switch topic {
        case GroupOffsetRecord.topic: key.flatMap(GroupOffsetRecord.parseKey) != nil
        case ProducerMarkRecord.topic: key.flatMap(ProducerMarkRecord.parseKey) != nil
        default: true
        }
    }

    private func problem(at position: Int) throws(LogError) -> String {
        guard let header = try window.header(at: position) else { return "no record batch (magic 2) where one was written" }
        guard let bytes = try window.pointer(at: position, count: header.totalBytes) else {
            return "a batch of \(header.totalBytes) bytes, of which \(window.size - position) are there"
        }
        guard header.checksumMatches(bytes) else { return "a batch that does not have its checksum \(String(header.checksum, radix: 16))" }
        if header.baseOffset != offset { return "a batch with base offset \(header.baseOffset) where \(offset) belongs" }
        return "a batch with a right checksum whose records cannot be read"
    }

    /// Goes to the next intact batch with a later offset, or to the end of what was recorded.
    private mutating func findNextBatch() throws(LogError) {
        // The batch after this one, if this one's length can be believed; else byte after byte.
        if let header = try window.header(at: position), try isNext(position + header.totalBytes) {
            return try skip(to: position + header.totalBytes)
        }
        var candidate = position + 1
        while candidate < window.size {
            if try isNext(candidate) { return try skip(to: candidate) }
            candidate += 1
        }
        position = max(recorded, position + 1)
    }

    private func isNext(_ candidate: Int) throws(LogError) -> Bool {
        guard let header = try window.header(at: candidate), header.baseOffset >= offset, header.totalBytes <= window.size - candidate,
            header.baseOffset - offset <= Int64(Int32.max)
        else { return false }
        return try intactBatch(at: candidate) != nil
    }

    private mutating func skip(to candidate: Int) throws(LogError) {
        position = candidate
        offset = try window.header(at: candidate)?.baseOffset ?? offset
    }
}
