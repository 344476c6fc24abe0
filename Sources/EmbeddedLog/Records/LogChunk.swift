import Glibc
import Synchronization

/// Whole record batches in immutable shared memory, as a read returns them. Safe to hand to other
/// threads and to keep: retention does not touch it. 64 zero bytes follow the last record.
package final class LogChunk: @unchecked Sendable {
    // Unchecked: the memory is filled before the chunk leaves the log, and never written again.
    let memory: UnsafeMutableRawPointer
    /// Bytes from `memory` to the first whole batch wanted, and to the end of the last.
    private(set) var start = 0
    private(set) var end = 0
    /// The offset asked for: records before it are skipped.
    package let fromOffset: Int64
    /// Where the next read goes on: one past the last record, or `fromOffset` when empty.
    package private(set) var nextOffset: Int64
    /// Records in the batches, those before `fromOffset` included.
    private(set) var recordCount = 0
    /// The file the bytes came from, for error messages.
    let path: String?
    /// Whether any batch is compressed.
    private(set) var isCompressed = false
    let inflated = Mutex(InflatedRecords())

    /// Zero bytes after the end, so that a parser may read past it.
    package static let padding = 64

    init(capacity: Int, from offset: Int64, path: String?) {
        memory = malloc(capacity + Self.padding)!
        fromOffset = offset
        nextOffset = offset
        self.path = path
    }

    convenience init(copying bytes: UnsafeRawBufferPointer, from offset: Int64, path: String?) {
        self.init(capacity: bytes.count, from: offset, path: path)
        if let base = bytes.baseAddress { memcpy(memory, base, bytes.count) }
        finish(start: 0, end: bytes.count)
    }

    /// Record batches that came from somewhere else, as ``withBytes(_:)`` of another host's chunk gave them.
    ///
    /// - Parameters:
    ///   - bytes: whole batches in the order of their offsets; copied.
    ///   - offset: the offset asked for.
    ///   - origin: where they came from, for error messages.
    /// - Throws: `damaged` if they are not whole batches in order, `checksumMismatch`.
    package convenience init(received bytes: UnsafeRawBufferPointer, from offset: Int64, origin: String) throws(LogError) {
        self.init(capacity: bytes.count, from: offset, path: origin)
        if let base = bytes.baseAddress { memcpy(memory, base, bytes.count) }
        var place = 0
        var expected = Int64.min
        while place < bytes.count {
            guard let header = BatchHeader(memory + place, available: bytes.count - place), header.totalBytes <= bytes.count - place,
                header.baseOffset >= expected
            else {
                throw LogError(
                    .damaged, "\(bytes.count) bytes were received that are not whole record batches in order", path: origin,
                    filePosition: Int64(place))
            }
            guard header.checksumMatches(memory + place) else {
                throw LogError(
                    .checksumMismatch, "the record batch with base offset \(header.baseOffset) was received damaged", path: origin,
                    filePosition: Int64(place))
            }
            expected = header.nextOffset
            place += header.totalBytes
        }
        finish(start: 0, end: bytes.count)
    }

    deinit { free(memory) }

    package var isEmpty: Bool { start == end }
    /// Bytes of the batches held.
    package var byteCount: Int { end - start }

    /// The record batches as they are on disk, compressed ones too.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        body(UnsafeRawBufferPointer(start: memory + start, count: end - start))
    }

    /// A cursor before the first record at or after `fromOffset`.
    package func records() -> RecordCursor { RecordCursor(self) }

    /// Whether there is a record at or after `fromOffset` that is no transaction marker: compaction and repairs leave batches
    /// without any.
    func hasRecords() throws(LogError) -> Bool {
        var place = start
        while place < end, let header = BatchHeader(memory + place, available: end - place) {
            if header.recordCount > 0, header.baseOffset >= fromOffset, !header.isControl { return true }
            place += header.totalBytes
        }
        var cursor = records()
        while try cursor.next() { if !cursor.isControl { return true } }
        return false
    }

    /// Fixes the range that holds whole, checked batches, before the chunk is shared.
    func finish(start: Int, end: Int) {
        self.start = start
        self.end = end
        memset(memory + end, 0, Self.padding)
        nextOffset = fromOffset
        recordCount = 0
        isCompressed = false
        var place = start
        while place < end, let header = BatchHeader(memory + place, available: end - place) {
            recordCount += Int(header.recordCount)
            if header.compression != 0 { isCompressed = true }
            nextOffset = max(nextOffset, header.nextOffset)
            place += header.totalBytes
        }
    }
}
