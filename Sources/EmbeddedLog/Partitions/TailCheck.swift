import Synchronization

/// Compares a partition's files with what checkpoint and journal say, after the replay.
///
/// - A file shorter than it should be is damage.
/// - Batches beyond the end that are intact and carry the next offset were committed (segments are
///   written after the commit only): they are kept. What follows them is cut off.
/// - Files below the start are what an interrupted retention left; they are removed.
/// - Any other file is not ours to judge: the log refuses to start.
struct TailCheck {
    let storage: any LogStorage
    let files: SegmentFiles
    let partition: PartitionLog
    /// After a clean stop, files have exactly the recorded sizes.
    let clean: Bool

    func run() throws(LogError) {
        let names = try storage.list(partition.directory)
        try removeLeftovers(names)
        let bases = names.compactMap { Segment.base($0, ".log") }.sorted()
        if let last = partition.state.withLock({ $0.segments.last }) { try check(last) }
        for base in bases where base > (partition.state.withLock { $0.segments.last?.base } ?? -1) { try adopt(base) }
        partition.state.withLock { state in
            partition.commit.nextOffset = state.endOffset
            partition.commit.segmentBase = state.segments.last?.base ?? state.endOffset
            partition.commit.segmentSize = state.segments.last?.size ?? 0
            partition.commit.segmentCreatedAt = state.segments.last?.createdAt ?? 0
        }
    }

    private func removeLeftovers(_ names: [String]) throws(LogError) {
        let start = partition.startOffset
        for name in names {
            let base = Segment.base(name, ".log") ?? Segment.base(name, ".index")
            if name.hasSuffix(".new") || base.map({ $0 < start }) ?? false { try storage.remove(partition.directory + "/" + name) }
        }
    }

    private func check(_ last: Segment) throws(LogError) {
        let path = partition.path(segment: last.base)
        let size = Int(try storage.size(path) ?? 0)
        if size < last.size || (clean && size > last.size) {
            throw LogError(
                .damaged, "the segment has \(size) bytes, and \(last.size) were recorded; restore the file from a copy, "
                    + LogError.lastResort, path: path)
        }
        if size > last.size { try keepIntact(last.base, from: last.size, size: size) }
    }

    /// A segment that neither checkpoint nor journal know.
    private func adopt(_ base: Int64) throws(LogError) {
        let path = partition.path(segment: base)
        let size = Int(try storage.size(path) ?? 0)
        let end = partition.endOffset
        guard base == end || size == 0 else {
            throw LogError(
                .damaged, "a segment that starts at offset \(base) is not known, and the partition ends at \(end); move the file away, "
                    + LogError.lastResort, path: path)
        }
        if size > 0 { try keepIntact(base, from: 0, size: size) }
        if partition.endOffset == end { try storage.remove(path) }
    }

    /// Keeps the intact batches after `position` that continue the partition, and cuts the rest off.
    private func keepIntact(_ base: Int64, from position: Int, size: Int) throws(LogError) {
        let file = try files.file(partition, base, forWriting: true)
        let bytes = try file.readBytes(count: size - position, at: Int64(position))
        var place = 0
        var next = partition.endOffset
        var timestamp = Int64.min
        bytes.withUnsafeBytes { all in
            guard let memory = all.baseAddress else { return }
            while place < all.count, let header = BatchHeader(memory + place, available: all.count - place),
                header.baseOffset == next, place + header.totalBytes <= all.count, header.checksumMatches(memory + place)
            {
                place += header.totalBytes
                next = header.nextOffset
                timestamp = max(timestamp, header.maxTimestamp)
            }
        }
        try file.truncate(to: Int64(position + place))
        if place == 0 { return }
        // Written once more: after a failed sync the bytes may be in the system's cache only, as clean ones.
        try file.write(bytes: Array(bytes[..<place]), at: Int64(position))
        partition.state.withLock { state in
            if state.segments.last?.base != base { state.segments.append(Segment(newAt: base, now: 0)) }
            let last = state.segments.count - 1
            state.segments[last].created = true
            state.segments[last].size = position + place
            state.segments[last].flushedSize = position + place
            state.segments[last].index = nil
            state.segments[last].maxTimestamp = state.segments[last].maxTimestamp.map { max($0, timestamp) }
            state.endOffset = next
        }
    }
}
