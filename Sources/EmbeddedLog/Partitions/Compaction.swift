import Synchronization

/// Compaction of one partition: of each key the newest record stays, at its offset.
///
/// Complete, durable segments are read once to learn the newest offset of each key, then rewritten, as
/// many into one as fit its size. A rewritten segment takes the place of its first predecessor by a
/// rename; after the folder is synced, the others are emptied, then removed. A crash in between leaves
/// segments that repeat records of the one before; reading and the next compaction pass over the repetition.
///
/// Readers go on during it: they keep the files they opened. Records without a key stay.
struct Compaction {
    /// Bound of the keys kept in memory; a partition with more is compacted a part at a time.
    static let maxKeyBytes = 48 << 20
    private static let keyOverhead = 64

    private let log: EmbeddedLog
    private let partition: PartitionLog
    private let settings: TopicConfiguration
    private let now: Int64

    init(_ log: EmbeddedLog, _ partition: PartitionLog) {
        self.log = log
        self.partition = partition
        settings = partition.topic.configuration
        now = log.clock.now()
    }

    func run() throws(LogError) {
        let segments = eligible()
        guard isWorthIt(segments) else { return }
        var newest: [[UInt8]: Int64] = [:]
        let known = try learnKeys(segments, &newest)
        var last: Int64 = -1
        var rest = segments[..<known]
        while !rest.isEmpty {
            if log.maintenanceStop.withLock({ $0 }) { return }
            rest = rest.dropFirst(try rewrite(rest, newest, &last))
        }
        let end = end(of: segments[known - 1])
        partition.state.withLock { $0.compactedOffset = end }
    }

    /// Where the segment behind a complete one starts.
    private func end(of segment: Segment) -> Int64 {
        partition.state.withLock { state in state.segments.first { $0.base > segment.base }?.base ?? state.endOffset }
    }

    /// Segments that no longer change and that no journal entry refers to.
    private func eligible() -> [Segment] {
        partition.state.withLock { state in
            let complete = state.segments.dropLast().prefix { segment in
                segment.base < state.checkpointedBase && segment.flushedSize == segment.size
                    && (settings.compactionAgeMilliseconds == 0 || (segment.maxTimestamp ?? .max) < now - settings.compactionAgeMilliseconds)
            }
            return Array(complete)
        }
    }

    /// As in Kafka, at least half of it should be new.
    private func isWorthIt(_ segments: [Segment]) -> Bool {
        let compacted = partition.state.withLock { $0.compactedOffset }
        let dirty = segments.filter { $0.base >= compacted }.reduce(0) { $0 + $1.size }
        return dirty > 0 && dirty >= segments.reduce(0) { $0 + $1.size } - dirty
    }

    /// Learns the newest offset of each key; returns how many segments it covers.
    private func learnKeys(_ segments: [Segment], _ newest: inout [[UInt8]: Int64]) throws(LogError) -> Int {
        var bytes = 0
        for (index, segment) in segments.enumerated() {
            if bytes > Self.maxKeyBytes, index > 0 { return index }
            try forEachChunk(of: segment) { chunk throws(LogError) in
                var cursor = chunk.records()
                while try cursor.next() {
                    guard let key = cursor.key.map({ Array($0) }) else { continue }
                    if newest.updateValue(cursor.offset, forKey: key) == nil { bytes += key.count + Self.keyOverhead }
                }
            }
        }
        return segments.count
    }

    /// Writes what stays of the first segments into one, as many as fit.
    /// - Returns: how many those were.
    private func rewrite(_ segments: ArraySlice<Segment>, _ newest: [[UInt8]: Int64], _ last: inout Int64) throws(LogError) -> Int {
        guard let first = segments.first else { return 0 }
        let limit = 2 * (settings.segmentBytes ?? log.configuration.segmentBytes)
        let path = partition.path(segment: first.base) + ".new"
        try log.storage.remove(path)
        var output = CompactedSegment(base: first.base, file: try log.storage.open(path, create: true))
        var group: [Segment] = []
        for segment in segments {
            if !group.isEmpty, output.byteCount + segment.size > limit { break }
            group.append(segment)
            var seen = last
            try forEachChunk(of: segment) { chunk throws(LogError) in
                seen = try output.add(chunk, after: seen) { cursor in
                    guard let key = cursor.key else { return true }
                    guard let newest = newest[Array(key)], newest == cursor.offset else { return false }
                    return cursor.value != nil || cursor.timestamp >= now - settings.tombstoneMilliseconds
                }
            }
            last = seen
        }
        if group.count == 1, !output.removedAny {
            try log.storage.remove(path)
        } else {
            try output.finish(upTo: end(of: group[group.count - 1]))
            try swap(group, path, output)
        }
        return group.count
    }

    /// Puts the rewritten segment in place of the group.
    private func swap(_ group: [Segment], _ path: String, _ output: CompactedSegment) throws(LogError) {
        let base = group[0].base
        let storage = log.storage
        let target = partition.path(segment: base)
        let index = output.index
        try storage.remove(partition.indexPath(segment: base))
        // File and table change together: a reader that opened the file knows which of the two it has.
        let swapped: Bool = try partition.state.withLock { state throws(LogError) in
            guard !state.deleted, let first = state.segments.firstIndex(where: { $0.base == base && $0.version == group[0].version }) else {
                return false
            }
            try storage.rename(path, to: target)
            var segment = Segment(onDisk: base, size: index.coveredBytes)
            segment.version = group[0].version + 1
            segment.createdAt = group[0].createdAt
            segment.maxTimestamp = index.maxTimestamp
            segment.index = index
            segment.indexSaved = false
            state.segments.replaceSubrange(first..<(first + group.count), with: [segment])
            return true
        }
        if !swapped { return try storage.remove(path) }
        for segment in group { log.files.drop(partition, segment.base) }
        try storage.syncDirectory(partition.directory)
        // Emptied for good before the names go: names may go in any order, and one that came back alone, with
        // records, would hide those of the rewritten segment behind it. Recovery passes over empty ones.
        for segment in group.dropFirst() {
            let file = try storage.open(partition.path(segment: segment.base), create: false)
            try file.truncate(to: 0)
            try file.sync()
        }
        for segment in group.dropFirst() {
            try storage.remove(partition.indexPath(segment: segment.base))
            try storage.remove(partition.path(segment: segment.base))
        }
    }

    private func forEachChunk(of segment: Segment, _ body: (LogChunk) throws(LogError) -> Void) throws(LogError) {
        let reader = SegmentReader(log, partition, segment)
        var offset = segment.base
        while let chunk = try reader.read(from: offset, maxBytes: 1 << 20) {
            try chunk.inflate(upTo: LogChunk.inflationFactor << 20)
            try body(chunk)
            offset = chunk.nextOffset
        }
    }
}
