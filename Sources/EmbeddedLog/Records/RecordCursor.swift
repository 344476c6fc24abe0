/// Walks the records of a chunk in the order of their offsets, without allocating; compressed batches are decompressed once a
/// chunk, into memory of the chunk's. The buffers point into the chunk and live as long as it does.
package struct RecordCursor {
    private let chunk: LogChunk
    /// Where the records of the current batch are: in the chunk, or decompressed.
    private var memory: UnsafeRawPointer
    private var position = 0
    private var recordsEnd = 0
    private var recordsLeft: Int32 = 0
    private var baseOffset: Int64 = 0
    private var baseTimestamp: Int64 = 0
    /// The timestamp of all records of a batch that says when it was appended.
    private var batchTimestamp: Int64?
    private var headersStart = 0
    private var nextBatch: Int
    /// Where in the chunk the current batch begins.
    private(set) var batchStart = -1
    private var recordStart = 0
    private var recordEnd = 0

    package private(set) var offset: Int64 = -1
    /// Milliseconds since the epoch.
    package private(set) var timestamp: Int64 = 0
    package private(set) var key: UnsafeRawBufferPointer?
    package private(set) var value: UnsafeRawBufferPointer?
    package private(set) var headerCount = 0
    /// Whether the record is a transaction marker of a Kafka client rather than data.
    package private(set) var isControl = false

    init(_ chunk: LogChunk) {
        self.chunk = chunk
        memory = UnsafeRawPointer(chunk.memory)
        nextBatch = chunk.start
    }

    /// The current record as it is encoded, its length in front.
    var recordBytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: memory + recordStart, count: recordEnd - recordStart) }
    /// Bytes of the current batch's records after the current one.
    var bytesLeft: Int { recordsEnd - position }

    /// Moves to the next record; `false` after the last.
    /// - Throws: `damaged` if a record does not parse, `unsupportedCompression`, `decompressedTooLarge`.
    package mutating func next() throws(LogError) -> Bool {
        while true {
            while recordsLeft == 0 {
                if nextBatch >= chunk.end { return false }
                try enterBatch()
            }
            recordsLeft -= 1
            try parseRecord()
            if offset >= chunk.fromOffset { return true }
        }
    }

    /// Calls `body` with the name and value of each header of the current record.
    package func forEachHeader(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer?) -> Void) throws(LogError) {
        var place = headersStart
        for _ in 0..<headerCount {
            guard let name = try bytes(&place) else { throw malformed("a header without a name") }
            body(name, try bytes(&place))
        }
    }

    private mutating func enterBatch() throws(LogError) {
        let start = nextBatch
        guard let header = BatchHeader(chunk.memory + start, available: chunk.end - start) else {
            throw malformed("no record batch")
        }
        batchStart = start
        nextBatch = start + header.totalBytes
        if header.compression == 0 {
            memory = UnsafeRawPointer(chunk.memory)
            position = start + BatchHeader.bytes
            recordsEnd = nextBatch
        } else {
            let inflated = try chunk.records(ofBatchAt: start, header)
            memory = inflated.memory
            position = 0
            recordsEnd = inflated.count
        }
        recordsLeft = header.recordCount
        baseOffset = header.baseOffset
        baseTimestamp = header.baseTimestamp
        batchTimestamp = header.isAppendTime ? header.maxTimestamp : nil
        isControl = header.isControl
    }

    @inline(__always)
    private mutating func parseRecord() throws(LogError) {
        recordStart = position
        guard let length = Varint.read(memory, &position, end: recordsEnd), length >= 1, length <= Int64(recordsEnd - position) else {
            throw malformed("a record length that does not fit")
        }
        recordEnd = position + Int(length)
        position += 1
        guard
            let timestampDelta = Varint.read(memory, &position, end: recordEnd),
            let offsetDelta = Varint.read(memory, &position, end: recordEnd)
        else { throw malformed("a record cut short") }
        timestamp = batchTimestamp ?? (baseTimestamp &+ timestampDelta)
        offset = baseOffset &+ offsetDelta
        key = try bytes(&position)
        value = try bytes(&position)
        guard let count = Varint.read(memory, &position, end: recordEnd), count >= 0, count <= Int64(recordEnd - position) else {
            throw malformed("a header count that does not fit")
        }
        headerCount = Int(count)
        headersStart = position
        position = recordEnd
    }

    @inline(__always)
    private func bytes(_ place: inout Int) throws(LogError) -> UnsafeRawBufferPointer? {
        guard let length = Varint.read(memory, &place, end: recordEnd), length <= Int64(recordEnd - place) else {
            throw malformed("a field that does not fit into its record")
        }
        if length < 0 { return nil }
        let start = place
        place += Int(length)
        return UnsafeRawBufferPointer(start: memory + start, count: Int(length))
    }

    private func malformed(_ what: String) -> LogError {
        LogError(
            .damaged, "\(what), in the batch with base offset \(baseOffset), after offset \(offset); its checksum is right, so it was written so",
            path: chunk.path)
    }
}
