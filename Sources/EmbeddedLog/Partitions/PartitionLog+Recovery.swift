import Synchronization

extension PartitionLog {
    /// Sets the partition to what the checkpoint says of it: nothing, if it has no row.
    func restore(_ row: Checkpoint.Row?, _ storage: any LogStorage) throws(LogError) {
        guard let row else { return }
        let bases = try storage.list(directory).compactMap { Segment.base($0, ".log") }.sorted()
        var segments: [Segment] = []
        for base in bases where base >= row.startOffset && base < row.segmentBase {
            let size = Int(try storage.size(path(segment: base)) ?? 0)
            // Empty ones are what compaction was about to remove.
            if size > 0 || base == row.startOffset {
                segments.append(Segment(onDisk: base, size: size))
            } else {
                try storage.remove(path(segment: base))
            }
        }
        var last = Segment(onDisk: row.segmentBase, size: Int(row.segmentSize))
        last.created = bases.contains(row.segmentBase)
        last.createdAt = row.segmentCreatedAt
        last.maxTimestamp = row.maxTimestamp
        last.indexSaved = false
        if row.segmentSize == 0 { last.index = SegmentIndex() }
        segments.append(last)
        guard segments.first?.base == row.startOffset else {
            throw LogError(
                .damaged,
                "the first segment starts at offset \(segments.first?.base ?? -1), the checkpoint says \(row.startOffset); restore the missing "
                    + "segment, \(LogError.lastResort)", path: path(segment: row.startOffset))
        }
        state.withLock { state in
            state.startOffset = row.startOffset
            state.endOffset = row.nextOffset
            state.segments = segments
        }
    }
}

extension PartitionState {
    /// Takes note of a journal part that was written into its segment.
    mutating func replay(segmentBase: Int64, size: Int, nextOffset: Int64, maxTimestamp: Int64, now: Int64) {
        segments.removeAll { $0.base > segmentBase }
        if segments.last?.base != segmentBase { segments.append(Segment(newAt: segmentBase, now: now)) }
        let last = segments.count - 1
        segments[last].created = true
        segments[last].size = size
        segments[last].flushedSize = size
        segments[last].index = nil
        segments[last].maxTimestamp = segments[last].maxTimestamp.map { max($0, maxTimestamp) }
        endOffset = nextOffset
    }
}

extension JournalPart {
    /// Largest timestamp of the part's batches.
    var maxTimestamp: Int64 {
        var largest = Int64.min
        guard let memory = batches.baseAddress else { return largest }
        var place = 0
        while place < batches.count, let header = BatchHeader(memory + place, available: batches.count - place) {
            largest = max(largest, header.maxTimestamp)
            place += header.totalBytes
        }
        return largest
    }
}
