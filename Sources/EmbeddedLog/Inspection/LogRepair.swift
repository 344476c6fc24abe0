/// Writes what a survey planned. A marker lies in the folder meanwhile: with it the log does not start.
struct LogRepair {
    private static let copyBytes = 1 << 20

    private let storage: any LogStorage
    private let paths: LogPaths
    private let survey: LogSurvey

    init(_ storage: any LogStorage, _ paths: LogPaths, _ survey: LogSurvey) {
        self.storage = storage
        self.paths = paths
        self.survey = survey
    }

    func run() throws(LogError) {
        let marker = try storage.open(paths.repairing, create: true)
        try marker.write(bytes: Array("see `martlet log repair --help`\n".utf8), at: 0)
        try marker.sync()
        try storage.syncDirectory(paths.root)
        for name in survey.topics.strangers { try storage.rename(paths.topic(name), to: paths.root + "/~stray-" + name) }
        for path in survey.journal.foreign { try storage.rename(path, to: path + ".foreign") }
        for topic in survey.topics.topics where topic.lostFile { try writeFile(of: topic) }
        for partition in survey.partitions { try write(partition) }
        try storage.createDirectory(paths.journal)
        try storage.syncDirectory(paths.journal)
        try writeCheckpoint()
        try storage.remove(paths.repairing)
        try storage.syncDirectory(paths.root)
    }

    private func writeFile(of topic: SurveyedTopic) throws(LogError) {
        guard let incarnation = topic.incarnation else { return }
        let path = topic.directory + "/" + TopicFile.name
        try storage.remove(path + ".new")
        let file = try storage.open(path + ".new", create: true)
        try file.write(bytes: TopicFile.encode(name: topic.name, incarnation: incarnation, topic.configuration), at: 0)
        try file.sync()
        try storage.rename(path + ".new", to: path)
        try storage.syncDirectory(topic.directory)
    }

    private func write(_ partition: PartitionSurvey) throws(LogError) {
        let directory = partition.directory
        try storage.createDirectory(directory)
        try storage.syncDirectory(partition.context.topic.directory)
        for segment in partition.plan {
            if !segment.isUnchanged {
                try write(segment, directory)
            } else if survey.checkpoint == nil {
                // Nothing says that it was synced.
                try storage.open(directory + "/" + Segment.name(segment.base) + ".log", create: false).sync()
            }
        }
        // The files that others took over go when those are durable.
        try storage.syncDirectory(directory)
        let kept = Set(partition.plan.map(\.base))
        let changed = Set(partition.plan.filter { !$0.isUnchanged }.map(\.base))
        let badIndexes = Set(partition.findings.filter { $0.subject == .index }.map(\.path))
        for name in try storage.list(directory) {
            let path = directory + "/" + name
            if let base = Segment.base(name, ".log"), !kept.contains(base) { try storage.remove(path) }
            if let base = Segment.base(name, ".index"), !kept.contains(base) || changed.contains(base) || badIndexes.contains(path) {
                try storage.remove(path)
            }
        }
        try storage.syncDirectory(directory)
    }

    /// Appends to a file that is right as far as it goes; any other is written anew and takes its place by a rename.
    private func write(_ segment: PlannedSegment, _ directory: String) throws(LogError) {
        let path = directory + "/" + Segment.name(segment.base) + ".log"
        let untouched = segment.untouchedBytes
        if untouched > 0 {
            let file = try storage.open(path, create: false)
            // Written once more: after a failed sync the bytes may be in the system's cache only, as clean ones.
            let durable = min(segment.durableBytes, untouched)
            try copy(file, durable..<untouched, to: file, at: durable)
            var place = untouched
            for piece in segment.pieces.dropFirst() { place += try copy(piece, of: nil, to: file, at: place) }
            try file.truncate(to: Int64(place))
            return try file.sync()
        }
        let old = segment.fileSize > 0 ? try storage.open(path, create: false) : nil
        try storage.remove(path + ".new")
        let file = try storage.open(path + ".new", create: true)
        var place = 0
        for piece in segment.pieces { place += try copy(piece, of: old, to: file, at: place) }
        try file.sync()
        try storage.rename(path + ".new", to: path)
    }

    private func copy(
        _ piece: PlannedSegment.Piece, of own: (any LogFile)?, to file: any LogFile, at place: Int
    ) throws(LogError) -> Int {
        switch piece {
        case .own(let bytes):
            if let own { try copy(own, bytes, to: file, at: place) }
        case .other(let source, let bytes):
            try copy(source, bytes, to: file, at: place)
        case .filler(let offsets):
            try file.write(bytes: BatchHeader.fillers(for: offsets), at: Int64(place))
        }
        return piece.byteCount
    }

    private func copy(_ source: any LogFile, _ bytes: Range<Int>, to file: any LogFile, at place: Int) throws(LogError) {
        var done = 0
        while done < bytes.count {
            let count = min(Self.copyBytes, bytes.count - done)
            let block = try source.readBytes(count: count, at: Int64(bytes.lowerBound + done))
            try file.write(bytes: block, at: Int64(place + done))
            done += count
        }
    }

    /// The log as it is now, with nothing to replay.
    private func writeCheckpoint() throws(LogError) {
        let rows = survey.partitions.compactMap { partition -> Checkpoint.Row? in
            guard let incarnation = partition.context.topic.incarnation else { return nil }
            let last = partition.plan.last
            let row = partition.context.row
            return Checkpoint.Row(
                incarnation: incarnation, partition: partition.context.number, startOffset: partition.start, nextOffset: partition.end,
                segmentBase: last?.base ?? partition.end, segmentSize: Int64(last?.size ?? 0),
                segmentCreatedAt: row?.segmentBase == last?.base ? row?.segmentCreatedAt ?? 0 : 0, maxTimestamp: last?.maxTimestamp ?? .min)
        }
        let checkpoint = Checkpoint(
            logID: survey.journal.logID ?? .random(), cycle: survey.journal.cycle, generation: survey.journal.lastGeneration + 1,
            position: JournalFormat.block, clean: true, rows: rows)
        try checkpoint.write(storage, paths)
    }
}
