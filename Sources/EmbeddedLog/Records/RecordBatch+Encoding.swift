import Glibc

extension RecordBatch {
    /// The same records, compressed; this batch itself if it is compressed already, would not shrink, or has more records
    /// than a reader decompresses.
    package func compressed(with compression: Compression) -> RecordBatch {
        let records = UnsafeRawBufferPointer(start: memory + BatchHeader.bytes, count: byteCount - BatchHeader.bytes)
        guard compression != .none, self.compression == .none, records.count <= InflatedRecords.maxBatchBytes else { return self }
        return BatchEncoder.compress(records, with: compression) { replacing(records: $0, compression) } ?? self
    }

    /// A batch with the same header and number of records.
    private func replacing(records: UnsafeRawBufferPointer, _ compression: Compression) -> RecordBatch {
        let size = BatchHeader.bytes + records.count
        let target = malloc(size)!
        memcpy(target, memory, BatchHeader.bytes)
        UnsafeMutableRawBufferPointer(start: target + BatchHeader.bytes, count: records.count).copyMemory(from: records)
        target.storeBigEndian(Int32(size - BatchHeader.lengthEnd), at: 8)
        target.storeBigEndian(attributes & ~BatchHeader.compressionMask | compression.code, at: 21)
        BatchHeader.seal(target, count: size)
        return RecordBatch(
            taking: target, byteCount: size, recordCount: recordCount, largestRecordBytes: largestRecordBytes, maxTimestamp: maxTimestamp)
    }

    /// The records whose indexes `keeps` wants: what is left of an append that is known in part. The batch keeps its
    /// compression (room was made for it as it came), its producer, and of the sequence the first number.
    /// - Parameter count: how many those are, at least one.
    func keeping(_ count: Int, where keeps: (Int) -> Bool) -> RecordBatch {
        let chunk = LogChunk(copying: UnsafeRawBufferPointer(start: memory, count: byteCount), from: 0, path: nil)
        var builder = RecordBatchBuilder(capacity: byteCount)
        do throws(LogError) {
            var cursor = chunk.records()
            var index = 0
            while try cursor.next() {
                defer { index += 1 }
                guard keeps(index) else { continue }
                builder.beginRecord(timestamp: cursor.timestamp, key: cursor.key, value: cursor.value, headerCount: cursor.headerCount)
                try cursor.forEachHeader { name, value in builder.addHeader(name: name, value: value) }
                builder.endRecord()
            }
        } catch {
            preconditionFailure("a batch that was checked does not parse: \(error)")
        }
        precondition(builder.recordCount == count, "\(count) records were to be kept, and \(builder.recordCount) are")
        return builder.finish(producer: producer).compressed(with: compression)
    }

    /// A batch that someone else made, such as a Kafka client, as bytes; compressed ones stay so.
    ///
    /// - Parameter origin: where it came from, for error messages.
    /// - Throws: `damaged` if it is not one whole batch of records without gaps, `checksumMismatch`, `unsupportedCompression`,
    ///   `decompressedTooLarge`.
    package convenience init(received bytes: UnsafeRawBufferPointer, origin: String) throws(LogError) {
        let chunk = try LogChunk(received: bytes, from: 0, origin: origin)
        guard let base = bytes.baseAddress, let header = BatchHeader(base, available: bytes.count), header.totalBytes == bytes.count,
            header.recordCount > 0, header.lastOffsetDelta == header.recordCount - 1
        else {
            throw LogError(.damaged, "\(bytes.count) bytes are not one record batch without gaps", path: origin)
        }
        var largest = 0
        var newest = Int64.min
        var cursor = chunk.records()
        var next = header.baseOffset
        while try cursor.next() {
            guard cursor.offset == next else {
                throw LogError(.damaged, "a record has offset delta \(cursor.offset - header.baseOffset) where \(next - header.baseOffset) belongs", path: origin)
            }
            try cursor.forEachHeader { _, _ in }
            largest = max(largest, cursor.recordBytes.count)
            newest = max(newest, cursor.timestamp)
            next += 1
        }
        guard cursor.bytesLeft == 0 else { throw LogError(.damaged, "\(cursor.bytesLeft) bytes follow the last record", path: origin) }
        // Retention and the time index go by it.
        guard newest == header.maxTimestamp else {
            throw LogError(.damaged, "the batch says its max timestamp is \(header.maxTimestamp), and its records have \(newest)", path: origin)
        }
        let copy = malloc(bytes.count)!
        memcpy(copy, base, bytes.count)
        copy.storeBigEndian(Int64(0), at: 0)
        copy.storeBigEndian(Int32(0), at: 12)
        self.init(
            taking: copy, byteCount: bytes.count, recordCount: Int(header.recordCount), largestRecordBytes: largest,
            maxTimestamp: header.maxTimestamp)
    }
}
