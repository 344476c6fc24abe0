import Synchronization

extension EmbeddedLog {
    /// Reads whole record batches from `offset` on; from memory at the tail, from disk further back.
    ///
    /// - Parameter maxBytes: roughly the most to return, as stored; compressed batches are at most four times as much
    ///   decompressed. One batch is returned even if it is larger.
    /// - Returns: the chunk, with at least one record at or after `offset` that is no transaction marker; empty if there is none
    ///   up to the end. Only durable records are in it.
    /// - Throws: `offsetOutOfRange`, `unknownTopic`, `unknownPartition`, `checksumMismatch`, `damaged`,
    ///   `unsupportedCompression`, `decompressedTooLarge`, `io`.
    package func read(_ topic: String, partition: Int32, from offset: Int64, maxBytes: Int) throws(LogError) -> LogChunk {
        try read(self.partition(topic, partition), from: offset, maxBytes: maxBytes)
    }

    /// The same with a partition looked up before.
    package func read(_ partition: PartitionLog, from offset: Int64, maxBytes: Int) throws(LogError) -> LogChunk {
        try read(partition, from: offset, maxBytes: maxBytes, inflates: true)
    }

    /// The same without decompressing: for others, who do it themselves.
    package func readStored(_ partition: PartitionLog, from offset: Int64, maxBytes: Int) throws(LogError) -> LogChunk {
        try read(partition, from: offset, maxBytes: maxBytes, inflates: false)
    }

    /// The same, if what is wanted is in memory, as it is at the tail, or there is nothing; nil if the disk has to be read.
    package func readFromMemory(_ topic: String, partition: Int32, from offset: Int64, maxBytes: Int) throws(LogError) -> LogChunk? {
        switch try source(of: offset, in: self.partition(topic, partition)) {
        case .nothing: return LogChunk(capacity: 0, from: offset, path: nil).finished()
        case .segment: return nil
        case .memory(let slices):
            let chunk = slices.copyBatches(from: offset, maxBytes: maxBytes)
            try chunk.inflate(upTo: LogChunk.inflationFactor * max(maxBytes, 0))
            return try chunk.hasRecords() ? chunk : nil
        }
    }

    private func read(_ partition: PartitionLog, from offset: Int64, maxBytes: Int, inflates: Bool) throws(LogError) -> LogChunk {
        var place = offset
        while true {
            let chunk: LogChunk
            switch try source(of: place, in: partition) {
            case .nothing:
                if place > offset { partition.state.withLock { $0.noteWithoutRecords(from: offset, to: place) } }
                return LogChunk(capacity: 0, from: offset, path: nil).finished()
            case .memory(let slices):
                chunk = slices.copyBatches(from: place, maxBytes: maxBytes)
            case .segment(let segment):
                let reader = SegmentReader(self, partition, segment)
                do throws(LogError) {
                    guard let found = try reader.read(from: place, maxBytes: maxBytes) else { throw missing(place, in: partition, segment) }
                    chunk = found
                } catch {
                    // Retention or compaction may have replaced the file meanwhile: then there is another answer.
                    if reader.isCurrent { throw error }
                    continue
                }
            }
            if inflates { try chunk.inflate(upTo: LogChunk.inflationFactor * max(maxBytes, 0)) }
            if try chunk.hasRecords() { return chunk }
            place = chunk.nextOffset
        }
    }

    private func missing(_ offset: Int64, in partition: PartitionLog, _ segment: Segment) -> LogError {
        LogError(
            .damaged, "the segment ends before offset \(offset), which it should hold; restore the file from a copy, \(LogError.lastResort)",
            path: partition.path(segment: segment.base), filePosition: Int64(segment.flushedSize))
    }

    private enum Source {
        case nothing
        case memory([TailSlice])
        case segment(Segment)
    }

    private func source(of offset: Int64, in partition: PartitionLog) throws(LogError) -> Source {
        try partition.state.withLock { state throws(LogError) in
            if state.deleted { throw LogError(.unknownTopic, "topic \"\(partition.topicName)\" was deleted") }
            if offset < state.startOffset || offset > state.endOffset {
                throw LogError(
                    .offsetOutOfRange(start: state.startOffset, end: state.endOffset),
                    "partition \(partition.number) of topic \"\(partition.topicName)\" holds offsets \(state.startOffset) to "
                        + "\(state.endOffset - 1), not \(offset)")
            }
            if offset == state.endOffset { return .nothing }
            if let first = state.tail.first, offset >= first.baseOffset { return .memory(state.slices(from: offset)) }
            let after = state.segments.partitionIndex { $0.base > offset }
            return .segment(state.segments[after - 1])
        }
    }

    /// Oldest offset kept in a partition.
    package func startOffset(_ topic: String, _ partition: Int32) throws(LogError) -> Int64 {
        try self.partition(topic, partition).startOffset
    }

    /// The offset that the next record of a partition gets.
    package func endOffset(_ topic: String, _ partition: Int32) throws(LogError) -> Int64 {
        try self.partition(topic, partition).endOffset
    }

    /// Offset of the first record with a timestamp at or after one (milliseconds since the epoch);
    /// `nil` if there is none.
    package func offset(_ topic: String, _ partition: Int32, atOrAfter timestamp: Int64) throws(LogError) -> Int64? {
        let partition = try self.partition(topic, partition)
        let (segments, slices) = partition.state.withLock { state in
            (state.segments, (0..<state.tail.count).map { state.tail[$0] })
        }
        for segment in segments where segment.flushedSize > 0 && (segment.maxTimestamp ?? .max) >= timestamp {
            let reader = SegmentReader(self, partition, segment)
            do throws(LogError) {
                if let found = try reader.offset(atOrAfter: timestamp) { return max(found, partition.startOffset) }
            } catch {
                if reader.isCurrent { throw error }
                return try self.offset(topic, partition.number, atOrAfter: timestamp)
            }
        }
        for slice in slices where slice.maxTimestamp >= timestamp {
            var cursor = LogChunk(copying: slice.bytes, from: slice.baseOffset, path: nil).records()
            while try cursor.next() { if cursor.timestamp >= timestamp { return cursor.offset } }
        }
        return nil
    }
}

extension LogChunk {
    fileprivate func finished() -> LogChunk {
        finish(start: 0, end: 0)
        return self
    }
}

extension PartitionState {
    /// Takes note that a range at the end holds no records: who waits there is not woken for it.
    fileprivate mutating func noteWithoutRecords(from offset: Int64, to end: Int64) {
        if end == endOffset { withoutRecords = offset..<end }
    }

    /// The slices that hold an offset and what follows.
    fileprivate func slices(from offset: Int64) -> [TailSlice] {
        var low = 0
        var high = tail.count
        while high - low > 1 {
            let middle = (low + high) / 2
            if tail[middle].baseOffset <= offset { low = middle } else { high = middle }
        }
        return (low..<min(tail.count, low + 256)).map { tail[$0] }
    }
}

extension [TailSlice] {
    /// Copies whole batches, from the one that holds `offset` on, up to about `maxBytes`.
    fileprivate func copyBatches(from offset: Int64, maxBytes: Int) -> LogChunk {
        var runs: [UnsafeRawBufferPointer] = []
        var total = 0
        slices: for (number, slice) in enumerated() {
            guard let memory = slice.bytes.baseAddress else { continue }
            var place = 0
            while number == 0, let header = BatchHeader(memory + place, available: slice.count - place), header.lastOffset < offset {
                place += header.totalBytes
            }
            if total + slice.count - place <= maxBytes {
                runs.append(slice.buffer.bytes(slice.start + place, slice.count - place))
                total += slice.count - place
                continue
            }
            let start = place
            while place < slice.count, let header = BatchHeader(memory + place, available: slice.count - place) {
                if total + header.totalBytes > maxBytes, total > 0 { break }
                place += header.totalBytes
                total += header.totalBytes
            }
            if place > start { runs.append(slice.buffer.bytes(slice.start + start, place - start)) }
            break slices
        }
        let chunk = LogChunk(capacity: total, from: offset, path: nil)
        var end = 0
        for run in runs {
            (chunk.memory + end).copyMemory(from: run.baseAddress!, byteCount: run.count)
            end += run.count
        }
        chunk.finish(start: 0, end: end)
        return withExtendedLifetime(self) { chunk }
    }
}
