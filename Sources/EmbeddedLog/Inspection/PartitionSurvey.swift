/// All that segments and journal hold of one partition, and what its files should be.
///
/// Goes by offsets alone: from the start on, each next offset is looked for in the segment files, then in the
/// journal; what nobody has becomes a filler, and is named as lost.
struct PartitionSurvey {
    /// Where intact batches can be had.
    private struct Source {
        let offsets: Range<Int64>
        let bytes: Range<Int>
        /// The segment it lies in, or is meant for.
        let segment: Int64
        /// `nil` for the segment's own file.
        let journal: (any LogFile)?
        let maxTimestamp: Int64
        let isDoubtful: Bool
    }

    struct Context {
        let storage: any LogStorage
        let topic: SurveyedTopic
        let number: Int32
        let row: Checkpoint.Row?
        /// Whether the checkpoint could be read, so that a partition without a row began after it.
        let knowsCheckpoint: Bool
        let wasClosed: Bool
        /// A repair was interrupted: the checkpoint's position is not to be relied on.
        let isUnderRepair: Bool
    }

    let context: Context
    let directory: String
    private(set) var plan: [PlannedSegment] = []
    private(set) var findings: [LogFinding] = []
    private(set) var notes: [String] = []
    /// Losses that no finding of this partition explains: acknowledged entries that the journal lacks.
    private(set) var unexplained: [LogFinding.Loss] = []
    private(set) var start: Int64
    private(set) var end: Int64
    private(set) var batches = 0
    private(set) var records = 0
    /// Files in the order of their bases, then the journal in the order of its cycles.
    private var sources: [Source] = []
    /// Which findings explain which missing offsets.
    private var causes: [(finding: Int, offsets: Range<Int64>)] = []
    private var sizes: [Int64: Int] = [:]

    init(_ context: Context, parts: [JournalSurvey.Part]) throws(LogError) {
        self.context = context
        directory = context.topic.directory + "/\(context.number)"
        let names = try context.storage.list(directory)
        let bases = names.compactMap { Segment.base($0, ".log") }.sorted()
        start = context.row?.startOffset ?? (context.knowsCheckpoint ? 0 : bases.first ?? parts.first?.offsets.lowerBound ?? 0)
        end = start
        for base in bases {
            if base < start {
                notes.append("\(path(base)) is left over from retention; the next start removes it")
            } else {
                try walk(base)
            }
        }
        for part in parts where part.isIntact {
            sources.append(
                Source(
                    offsets: part.offsets, bytes: part.bytes, segment: part.segmentBase, journal: part.file, maxTimestamp: part.maxTimestamp,
                    isDoubtful: part.isDoubtful))
        }
        try merge(parts)
    }

    private func path(_ base: Int64) -> String { directory + "/" + Segment.name(base) + ".log" }

    /// Bytes of a segment that the checkpoint, or its being complete, says are right.
    private func recordedBytes(_ base: Int64, size: Int) -> Int {
        if context.isUnderRepair { return size }
        guard let row = context.row else { return context.knowsCheckpoint ? 0 : size }
        return base < row.segmentBase ? size : base == row.segmentBase ? Int(row.segmentSize) : 0
    }

    private mutating func walk(_ base: Int64) throws(LogError) {
        let path = path(base)
        let size = Int(try context.storage.size(path) ?? 0)
        let recorded = recordedBytes(base, size: size)
        sizes[base] = size
        var walk = SegmentWalk(
            try context.storage.open(path, create: false), path: path, base: base, size: size, recorded: recorded,
            topic: context.topic.name)
        while let piece = try walk.next() {
            switch piece {
            case .intact(let run):
                batches += run.batches
                records += run.records
                sources.append(
                    Source(
                        offsets: run.offsets, bytes: run.bytes, segment: base, journal: nil, maxTimestamp: run.maxTimestamp, isDoubtful: false))
            case .damaged(let bytes, let offsets, let problem):
                causes.append((findings.count, offsets))
                findings.append(finding(path, bytes, problem))
            }
        }
        if size < recorded {
            causes.append((findings.count, walk.offset..<Int64.max))
            findings.append(finding(path, size..<recorded, "the segment has \(size) bytes, and \(recorded) were recorded"))
        } else if context.wasClosed, !context.isUnderRepair, size > recorded, base <= context.row?.segmentBase ?? base {
            findings.append(
                finding(
                    path, recorded..<size, "the segment has \(size) bytes, and \(recorded) were recorded when the log was closed",
                    remedy: "batches that go on without a gap are kept, the rest is cut off"))
        }
        try compareIndex(base, walk.index, size: size)
    }

    private func finding(
        _ path: String, _ bytes: Range<Int>, _ problem: String, remedy: String = "the file is written anew without these bytes"
    ) -> LogFinding {
        LogFinding(
            subject: .segment, path: path, bytes: Int64(bytes.lowerBound)..<Int64(bytes.upperBound), problem: problem, remedy: remedy)
    }

    /// An index that cannot be read, or is older than its segment, is only rebuilt; one that says wrong places is damage.
    private mutating func compareIndex(_ base: Int64, _ walked: SegmentIndex, size: Int) throws(LogError) {
        let path = directory + "/" + Segment.name(base) + ".index"
        guard let length = try context.storage.size(path) else { return }
        guard let saved = SegmentIndex(try context.storage.open(path, create: false).readBytes(count: Int(length), at: 0)) else {
            return notes.append("\(path) is not an intact index; it is rebuilt when it is needed")
        }
        guard saved.coveredBytes == size, walked.coveredBytes == size else { return }
        if saved.entries != walked.entries {
            findings.append(
                LogFinding(
                    subject: .index, path: path, problem: "the index does not say where the segment's batches lie",
                    remedy: "the file is removed, and rebuilt when it is needed"))
        }
    }

    // MARK: Putting together

    private mutating func merge(_ parts: [JournalSurvey.Part]) throws(LogError) {
        var gap = start
        var first = 0
        while true {
            while first < sources.count, sources[first].offsets.upperBound <= end { first += 1 }
            let best = sources[first...].first { [end] in $0.offsets.contains(end) && (!$0.isDoubtful || $0.offsets.lowerBound == end) }
            if let best, let bytes = try bytes(of: best, from: end) {
                try add(best, bytes, gap: gap..<end)
                end = best.offsets.upperBound
                gap = end
            } else {
                let later = sources[first...].lazy.filter { [end] in $0.offsets.lowerBound > end && !$0.isDoubtful }.map(\.offsets.lowerBound).min()
                guard let next = later ?? lastKnown(parts) else { break }
                lose(end..<next)
                end = next
            }
        }
        if gap < end { fill(gap..<end, before: nil) }
        for (base, size) in sizes.sorted(by: { $0.key < $1.key }) where base > end && size > 0 {
            findings.append(
                finding(
                    path(base), 0..<size, "the segment is not known, the partition ends at offset \(end), and it starts with no intact batch",
                    remedy: "the file is removed"))
        }
    }

    /// The end that the checkpoint or a damaged journal entry names, if it lies further.
    private func lastKnown(_ parts: [JournalSurvey.Part]) -> Int64? {
        let claimed = parts.lazy.filter { [end] in !$0.isIntact && $0.offsets.contains(end) }.map(\.offsets.upperBound).max() ?? 0
        let known = max(claimed, context.row?.nextOffset ?? 0)
        return known > end ? known : nil
    }

    /// Where in its file a source goes on at an offset; `nil` if no batch begins there.
    private func bytes(of source: Source, from offset: Int64) throws(LogError) -> Range<Int>? {
        if source.offsets.lowerBound == offset { return source.bytes }
        let file = if let journal = source.journal { journal } else { try context.storage.open(path(source.segment), create: false) }
        let window = FileWindow(file, size: source.bytes.upperBound)
        var position = source.bytes.lowerBound
        while let header = try window.header(at: position), header.baseOffset <= offset {
            if header.baseOffset == offset { return position..<source.bytes.upperBound }
            position += header.totalBytes
        }
        return nil
    }

    private mutating func add(_ source: Source, _ bytes: Range<Int>, gap: Range<Int64>) throws(LogError) {
        let isNext = plan.last.map { source.segment > $0.base } ?? true
        // A segment's name is the offset that its first batch has.
        let target = isNext ? max(source.segment, gap.lowerBound) : nil
        if !gap.isEmpty { fill(gap, before: target) }
        if let target, plan.last.map({ $0.base < target }) ?? true { begin(target) }
        let last = plan.count - 1
        if let journal = source.journal {
            plan[last].append(.other(journal, bytes))
        } else if source.segment == plan[last].base {
            plan[last].append(.own(bytes))
        } else {
            plan[last].append(.other(try context.storage.open(path(source.segment), create: false), bytes))
        }
        plan[last].maxTimestamp = max(plan[last].maxTimestamp, source.maxTimestamp)
    }

    /// Covers lost offsets: up to the start of the next segment in this one, the rest there.
    private mutating func fill(_ offsets: Range<Int64>, before next: Int64?) {
        let split = next.map { min(max($0, offsets.lowerBound), offsets.upperBound) } ?? offsets.upperBound
        if offsets.lowerBound < split {
            if plan.isEmpty { begin(offsets.lowerBound) }
            plan[plan.count - 1].append(.filler(offsets.lowerBound..<split))
        }
        if let next, split < offsets.upperBound {
            if plan.last.map({ $0.base < next }) ?? true { begin(next) }
            plan[plan.count - 1].append(.filler(split..<offsets.upperBound))
        }
    }

    private mutating func begin(_ base: Int64) {
        plan.append(PlannedSegment(base: base, fileSize: sizes[base] ?? 0, durableBytes: durableBytes(base)))
    }

    /// Bytes of a segment that are on the disk, and not only in the system's cache.
    private func durableBytes(_ base: Int64) -> Int {
        let size = sizes[base] ?? 0
        guard let row = context.row else { return context.knowsCheckpoint ? 0 : size }
        if base < row.segmentBase { return size }
        return base == row.segmentBase && !context.isUnderRepair ? min(Int(row.segmentSize), size) : 0
    }

    private mutating func lose(_ offsets: Range<Int64>) {
        let loss = LogFinding.Loss(
            topic: context.topic.name, partition: context.number, offsets: offsets, isUpperBound: context.topic.configuration.cleanup == .compact)
        if let cause = causes.last(where: { $0.offsets.contains(offsets.lowerBound) }) {
            findings[cause.finding].losses.append(loss)
        } else {
            unexplained.append(loss)
        }
    }
}
