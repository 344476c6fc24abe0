import Synchronization

extension LogChunk {
    /// Decompressed bytes that a read returns at most, as a multiple of the `maxBytes` asked for; one batch is always returned.
    static let inflationFactor = 4

    /// Decompresses the batches now, up to about `limit` bytes (at least one batch), and cuts the chunk after them: a few
    /// bytes on disk may stand for very many. Called once, before the chunk is shared.
    /// - Throws: `decompressedTooLarge`, `unsupportedCompression`, `damaged`.
    package func inflate(upTo limit: Int) throws(LogError) {
        guard isCompressed else { return }
        var place = start
        var total = 0
        while place < end, let header = BatchHeader(memory + place, available: end - place) {
            total += header.compression == 0 ? header.totalBytes : try records(ofBatchAt: place, header).count
            if total > limit, place > start { return finish(start: start, end: place) }
            place += header.totalBytes
        }
    }

    /// The decompressed records of the compressed batch at a place.
    func records(ofBatchAt place: Int, _ header: BatchHeader) throws(LogError) -> InflatedRecords.Batch {
        guard let compression = Compression(code: header.compression), compression != .none else {
            throw LogError(
                .unsupportedCompression,
                "the batch at offset \(header.baseOffset) has compression type \(header.compression); this build reads 0 (none), 3 (lz4) and "
                    + "4 (zstd)", path: path)
        }
        let count = header.totalBytes - BatchHeader.bytes
        let outcome: Result<InflatedRecords.Batch, InflatedRecords.Refusal> = inflated.withLock { inflated in
            if let known = inflated.batch(at: place) { return .success(known) }
            let bytes = UnsafeRawBufferPointer(start: memory + place + BatchHeader.bytes, count: count)
            do throws(InflatedRecords.Refusal) {
                return .success(try inflated.inflate(bytes, compression, at: place, blockBytes: Self.inflationFactor * byteCount))
            } catch {
                return .failure(error)
            }
        }
        switch outcome {
        case .success(let batch): return batch
        case .failure(.tooLarge(let stated)):
            throw LogError(
                .decompressedTooLarge,
                "the \(compression.rawValue) records of the batch at offset \(header.baseOffset) have \(count) bytes, and "
                    + "\(stated.map { "say that they are \($0)" } ?? "are more than \(InflatedRecords.maxBatchBytes)") decompressed; at most "
                    + "\(InflatedRecords.maxBatchBytes) are read: send smaller batches", path: path)
        case .failure(.broken(let reason)):
            throw LogError(
                .damaged,
                "the \(compression.rawValue) records of the batch at offset \(header.baseOffset) cannot be decompressed: \(reason); the "
                    + "checksum is right, so they were written so", path: path)
        }
    }
}
