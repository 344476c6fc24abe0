import Glibc

/// Encodes records straight into the bytes that will lie on disk, on the producer's thread.
///
///     var builder = RecordBatchBuilder(capacity: 512)
///     builder.append(timestamp: now, key: key, value: value)
///     let batch = builder.finish()
package struct RecordBatchBuilder: ~Copyable {
    private var memory: UnsafeMutableRawPointer
    private var capacity: Int
    private var length = BatchHeader.bytes
    private var baseTimestamp: Int64 = 0
    private var maxTimestamp = Int64.min
    private var largestRecordBytes = 0
    /// Start of the record being written, -1 between records.
    private var recordStart = -1
    private var headersLeft = 0
    /// Records so far.
    package private(set) var recordCount = 0

    /// Room kept before a record for its length, which is known only afterwards.
    private static let lengthRoom = 5

    /// - Parameter capacity: expected size in bytes; it grows as needed.
    package init(capacity: Int = 1024) {
        self.capacity = max(capacity, 2 * BatchHeader.bytes)
        memory = malloc(self.capacity)!
    }

    deinit { free(memory) }

    /// Bytes encoded so far, the batch's header included.
    package var byteCount: Int { length }

    /// Adds a record. The bytes are copied.
    /// - Parameter timestamp: milliseconds since the epoch.
    package mutating func append(
        timestamp: Int64, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, headers: [RecordHeader] = []
    ) {
        beginRecord(timestamp: timestamp, key: key, value: value, headerCount: headers.count)
        for header in headers {
            var name = header.name
            name.withUTF8 { utf8 in
                if let value = header.value {
                    value.withUnsafeBytes { addHeader(name: UnsafeRawBufferPointer(utf8), value: $0) }
                } else {
                    addHeader(name: UnsafeRawBufferPointer(utf8), value: nil)
                }
            }
        }
        endRecord()
    }

    /// Adds a record from arrays. The bytes are copied.
    package mutating func append(timestamp: Int64, key: [UInt8]?, value: [UInt8]?, headers: [RecordHeader] = []) {
        (key ?? []).withUnsafeBytes { keyBytes in
            (value ?? []).withUnsafeBytes { valueBytes in
                append(
                    timestamp: timestamp, key: key == nil ? nil : keyBytes, value: value == nil ? nil : valueBytes, headers: headers)
            }
        }
    }

    /// Starts a record whose headers follow one by one: exactly `headerCount` calls of `addHeader`, then `endRecord`.
    package mutating func beginRecord(
        timestamp: Int64, key: UnsafeRawBufferPointer?, value: UnsafeRawBufferPointer?, headerCount: Int
    ) {
        precondition(recordStart < 0, "endRecord was not called")
        if recordCount == 0 { baseTimestamp = timestamp }
        maxTimestamp = max(maxTimestamp, timestamp)
        recordStart = length
        headersLeft = headerCount
        reserve(Self.lengthRoom + 1 + 5 * Varint.maxBytes + (key?.count ?? 0) + (value?.count ?? 0))
        length += Self.lengthRoom
        memory.storeBytes(of: 0, toByteOffset: length, as: UInt8.self)
        length += 1
        put(timestamp &- baseTimestamp)
        put(Int64(recordCount))
        put(key)
        put(value)
        put(Int64(headerCount))
    }

    package mutating func addHeader(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?) {
        precondition(headersLeft > 0, "more headers than announced")
        headersLeft -= 1
        reserve(2 * Varint.maxBytes + name.count + (value?.count ?? 0))
        put(Optional(name))
        put(value)
    }

    package mutating func endRecord() {
        precondition(recordStart >= 0 && headersLeft == 0, "fewer headers than announced")
        let body = length - recordStart - Self.lengthRoom
        let lengthBytes = Varint.write(Int64(body), to: memory + recordStart)
        memmove(memory + recordStart + lengthBytes, memory + recordStart + Self.lengthRoom, body)
        length = recordStart + lengthBytes + body
        largestRecordBytes = max(largestRecordBytes, body)
        recordCount += 1
        recordStart = -1
    }

    /// The finished batch. At least one record is needed.
    package consuming func finish(producer: BatchProducer = .none) -> RecordBatch {
        precondition(recordCount > 0 && recordStart < 0, "a batch holds whole records, at least one")
        memory.storeBigEndian(Int64(0), at: 0)
        memory.storeBigEndian(Int32(length - BatchHeader.lengthEnd), at: 8)
        memory.storeBigEndian(Int32(0), at: 12)
        memory.storeBigEndian(BatchHeader.magic, at: 16)
        memory.storeBigEndian(Int16(0), at: 21)
        memory.storeBigEndian(Int32(recordCount - 1), at: 23)
        memory.storeBigEndian(baseTimestamp, at: 27)
        memory.storeBigEndian(maxTimestamp, at: 35)
        memory.storeBigEndian(producer.id, at: 43)
        memory.storeBigEndian(producer.epoch, at: 51)
        memory.storeBigEndian(producer.baseSequence, at: 53)
        memory.storeBigEndian(Int32(recordCount), at: 57)
        let covered = UnsafeRawBufferPointer(start: memory + BatchHeader.checksumStart, count: length - BatchHeader.checksumStart)
        memory.storeBigEndian(CRC32C.of(covered), at: 17)
        let batch = RecordBatch(
            taking: memory, byteCount: length, recordCount: recordCount, largestRecordBytes: largestRecordBytes,
            maxTimestamp: maxTimestamp)
        discard self
        return batch
    }

    private mutating func reserve(_ count: Int) {
        if length + count <= capacity { return }
        capacity = max(capacity * 2, length + count)
        memory = realloc(memory, capacity)!
    }

    @inline(__always)
    private mutating func put(_ value: Int64) {
        length += Varint.write(value, to: memory + length)
    }

    @inline(__always)
    private mutating func put(_ bytes: UnsafeRawBufferPointer?) {
        guard let bytes else { return put(-1) }
        put(Int64(bytes.count))
        if let base = bytes.baseAddress {
            memcpy(memory + length, base, bytes.count)
            length += bytes.count
        }
    }
}
