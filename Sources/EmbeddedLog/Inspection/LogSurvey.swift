/// A whole log as it lies on disk, read without changing anything, and what a repair would make of it.
struct LogSurvey {
    private(set) var report = LogReport()
    let checkpoint: Checkpoint?
    private(set) var topics: TopicSurvey
    private(set) var journal: JournalSurvey
    private(set) var partitions: [PartitionSurvey] = []

    /// - Parameter progress: called with the topic that is read.
    init(_ storage: any LogStorage, _ paths: LogPaths, progress: (String) -> Void) throws(LogError) {
        let isUnderRepair = try storage.size(paths.repairing) != nil
        var findings: [LogFinding] = []
        if isUnderRepair {
            findings.append(LogFinding(subject: .checkpoint, path: paths.repairing, problem: "a repair was interrupted", remedy: "it is finished"))
        }
        checkpoint = try Self.checkpoint(storage, paths, &findings)
        topics = try TopicSurvey(storage, paths)
        progress("journal")
        journal = try JournalSurvey(storage, paths.journal, checkpoint)
        try topics.identify(checkpoint?.rows ?? [], journal.parts, storage)
        report.findings = findings + topics.findings + journal.findings
        report.notes = topics.notes
        report.wasClosed = checkpoint?.clean == true
        report.journalEntries = journal.entryCount
        report.lastJournalEntry = journal.lastEntry
        let missing = journal.missing.map { findings.count + topics.findings.count + $0 }
        lookForTopics(paths)
        let parts = Dictionary(grouping: journal.parts) { Key(incarnation: $0.incarnation, partition: $0.partition) }
        for topic in topics.topics {
            progress(topic.name)
            report.topics += 1
            for number in 0..<Int32(topic.configuration.partitions) {
                let row = checkpoint?.rows.first { $0.incarnation == topic.incarnation && $0.partition == number }
                let context = PartitionSurvey.Context(
                    storage: storage, topic: topic, number: number, row: row, knowsCheckpoint: checkpoint != nil,
                    wasClosed: checkpoint?.clean == true, isUnderRepair: isUnderRepair)
                let key = topic.incarnation.map { Key(incarnation: $0, partition: number) }
                take(try PartitionSurvey(context, parts: key.flatMap { parts[$0] } ?? []), missing)
            }
        }
    }

    private struct Key: Hashable {
        let incarnation: UUIDBytes
        let partition: Int32
    }

    /// The checkpoint; `nil` if it is lost, or the folder is new.
    private static func checkpoint(
        _ storage: any LogStorage, _ paths: LogPaths, _ findings: inout [LogFinding]
    ) throws(LogError) -> Checkpoint? {
        let remedy = "it is rebuilt from the segments and the journal; where each topic starts is taken from its oldest segment"
        guard let size = try storage.size(paths.checkpoint) else {
            let hasTopics = try storage.list(paths.root).contains { TopicFile.isValidTopicName($0) }
            if hasTopics {
                findings.append(LogFinding(subject: .checkpoint, path: paths.checkpoint, problem: "there are topics but no checkpoint", remedy: remedy))
            }
            return nil
        }
        do throws(LogError) {
            return try Checkpoint(try storage.open(paths.checkpoint, create: false).readBytes(count: Int(size), at: 0), path: paths.checkpoint)
        } catch where error.code == .damaged || error.code == .checksumMismatch {
            findings.append(LogFinding(subject: .checkpoint, path: paths.checkpoint, problem: "the checkpoint is damaged", remedy: remedy))
            return nil
        }
    }

    /// Topics that checkpoint and journal know, and whose folders are gone.
    private mutating func lookForTopics(_ paths: LogPaths) {
        let here = Set(topics.topics.compactMap(\.incarnation)).union(topics.deleted)
        var ends: [UUIDBytes: [Int32: Range<Int64>]] = [:]
        for row in checkpoint?.rows ?? [] where !here.contains(row.incarnation) {
            ends[row.incarnation, default: [:]][row.partition] = row.startOffset..<row.nextOffset
        }
        for part in journal.parts where !part.isDoubtful && !here.contains(part.incarnation) {
            let known = ends[part.incarnation]?[part.partition]
            ends[part.incarnation, default: [:]][part.partition] =
                min(known?.lowerBound ?? part.offsets.lowerBound, part.offsets.lowerBound)..<max(known?.upperBound ?? 0, part.offsets.upperBound)
        }
        for (incarnation, partitions) in ends.sorted(by: { $0.key.text < $1.key.text }) {
            // Without a checkpoint it cannot be told from a topic that was deleted.
            let losses = partitions.sorted { $0.key < $1.key }.filter { !$0.value.isEmpty }.map { number, offsets in
                LogFinding.Loss(topic: "incarnation \(incarnation.text)", partition: number, offsets: offsets, isUpperBound: true)
            }
            report.findings.append(
                LogFinding(
                    subject: .topic, path: paths.root, problem: "the folder of the topic with incarnation \(incarnation.text) is missing",
                    remedy: "the topic is forgotten", losses: losses))
        }
    }

    private mutating func take(_ partition: PartitionSurvey, _ missingEntries: Int?) {
        report.partitions += 1
        report.segments += partition.plan.count
        report.bytes += partition.plan.reduce(0) { $0 + $1.size }
        report.batches += partition.batches
        report.records += partition.records
        report.notes += partition.notes
        report.findings += partition.findings
        for loss in partition.unexplained {
            if let missingEntries {
                report.findings[missingEntries].losses.append(loss)
            } else {
                report.findings.append(
                    LogFinding(
                        subject: .segment, path: partition.directory, problem: "records are missing between the segments that are there",
                        remedy: "their offsets are left empty", losses: [loss]))
            }
        }
        partitions.append(partition)
    }
}
