import Synchronization

/// Brings a folder to the state that its checkpoint and journal say.
///
/// Order: lock; checkpoint; topics and segment files; journal entries after the checkpoint, written
/// into the segments; segment files compared with the result; everything synced; a new journal
/// generation; a new checkpoint. A crash anywhere before the last step leaves what was there to be
/// recovered again.
struct Recovery {
    private let configuration: LogConfiguration
    private let storage: any LogStorage
    private let clock: any LogClock
    private let paths: LogPaths
    private let lock: any LogLock
    private let files: SegmentFiles
    private var topics: [UUIDBytes: TopicLog] = [:]
    private var deleted: Set<UUIDBytes> = []
    private var written: Set<String> = []

    init(_ configuration: LogConfiguration, _ storage: any LogStorage, _ clock: any LogClock) throws(LogError) {
        self.configuration = configuration
        self.storage = storage
        self.clock = clock
        paths = LogPaths(directory: configuration.directory)
        try Self.createRoot(paths.root, storage)
        lock = try storage.lock(paths.lock)
        files = SegmentFiles(storage: storage, limit: configuration.maxOpenFiles)
    }

    /// Creates the log's folder with its parents, and makes all those names durable.
    private static func createRoot(_ root: String, _ storage: any LogStorage) throws(LogError) {
        // The checkpoint is written later: as long as there is none, the names may not be durable.
        if try storage.size(root + "/~checkpoint") != nil { return }
        try storage.createDirectory(root)
        var folder = root
        while let slash = folder.lastIndex(of: "/") {
            folder = String(folder[..<slash])
            do throws(LogError) {
                try storage.syncDirectory(folder.isEmpty ? "/" : folder)
            } catch where error.code == .notWritable {
                // A folder that we may not even open is not one that we created.
                return
            }
        }
        if !root.hasPrefix("/") { try storage.syncDirectory(".") }
    }

    mutating func run() throws(LogError) -> RecoveredLog {
        if try storage.size(paths.repairing) != nil {
            throw LogError(
                .damaged, "a repair of this log was interrupted; run `martlet log repair --accept-loss` again", path: paths.repairing)
        }
        try findTopics()
        let checkpoint = try readCheckpoint()
        // Before anything is removed because the checkpoint says so, it has to be there to stay.
        try storage.syncDirectory(paths.root)
        try restore(checkpoint)
        let scanner = try JournalScanner(storage: storage, directory: paths.journal, logID: checkpoint.logID)
        var cycle = checkpoint.cycle
        if !checkpoint.clean {
            cycle = try scanner.replay(after: cycle, generation: checkpoint.generation, position: checkpoint.position) {
                (entry) throws(LogError) in try replay(entry)
            }
        }
        for topic in topicsByName {
            for partition in topic.partitions {
                try TailCheck(storage: storage, files: files, partition: partition, clean: checkpoint.clean).run()
            }
        }
        try syncTrusted()
        let journal = try startJournal(scanner, checkpoint, cycle)
        return RecoveredLog(
            configuration: configuration, storage: storage, clock: clock, paths: paths, logID: checkpoint.logID, cycle: cycle, lock: lock,
            journal: journal, files: files, topics: Dictionary(uniqueKeysWithValues: topics.values.map { ($0.name, $0) }))
    }

    /// In a fixed order, so that a simulated history is the same each time.
    private var topicsByName: [TopicLog] { topics.values.sorted { $0.name < $1.name } }

    /// What was read may be in the system's cache only, left by a process that died before its sync:
    /// nothing is built on it before it is durable.
    private func syncTrusted() throws(LogError) {
        for topic in topicsByName {
            try storage.open(topic.directory + "/" + TopicFile.name, create: false).sync()
            try storage.syncDirectory(topic.directory)
        }
        try files.syncAll()
        for directory in written.sorted() { try storage.syncDirectory(directory) }
        try storage.syncDirectory(paths.journal)
        try storage.syncDirectory(paths.root)
    }

    /// Reads the topics' files and removes what an interrupted creation left.
    private mutating func findTopics() throws(LogError) {
        for name in try storage.list(paths.root).sorted() {
            if name.hasPrefix("~creating-") {
                try storage.remove(paths.root + "/" + name)
            } else if name.hasPrefix("~deleted-") {
                if let incarnation = UUIDBytes(text: String(name.dropFirst("~deleted-".count))) { deleted.insert(incarnation) }
            } else if TopicFile.isValidTopicName(name) {
                try readTopic(paths.topic(name))
            }
        }
    }

    private mutating func readTopic(_ directory: String) throws(LogError) {
        let path = directory + "/" + TopicFile.name
        guard let size = try storage.size(path) else {
            throw LogError(.damaged, "the folder has no topic file; restore it, or move the folder away", path: path)
        }
        let bytes = try storage.open(path, create: false).readBytes(count: Int(size), at: 0)
        let (name, incarnation, settings) = try TopicFile.decode(bytes, path: path)
        guard directory == paths.topic(name) else {
            throw LogError(.damaged, "the folder holds topic \"\(name)\"; give it that name", path: directory)
        }
        topics[incarnation] = TopicLog(name: name, incarnation: incarnation, directory: directory, configuration: settings)
    }

    /// The checkpoint; a first one for a new folder.
    private func readCheckpoint() throws(LogError) -> Checkpoint {
        if let size = try storage.size(paths.checkpoint) {
            return try Checkpoint(try storage.open(paths.checkpoint, create: false).readBytes(count: Int(size), at: 0), path: paths.checkpoint)
        }
        guard topics.isEmpty else {
            throw LogError(
                .damaged, "there are \(topics.count) topics but no checkpoint; restore it, \(LogError.lastResort)", path: paths.checkpoint)
        }
        try storage.remove(paths.journal)
        try storage.createDirectory(paths.journal)
        try storage.syncDirectory(paths.root)
        return Checkpoint(logID: .random(), cycle: 0, generation: 0, position: JournalFormat.block, clean: false, rows: [])
    }

    /// Sets the partitions to the checkpoint's state, and lists their files.
    private func restore(_ checkpoint: Checkpoint) throws(LogError) {
        var rows: [UUIDBytes: [Int32: Checkpoint.Row]] = [:]
        for row in checkpoint.rows { rows[row.incarnation, default: [:]][row.partition] = row }
        for incarnation in rows.keys where topics[incarnation] == nil && !deleted.contains(incarnation) {
            throw LogError(
                .damaged, "the folder of the topic with incarnation \(incarnation.text) is missing; restore it, "
                    + LogError.lastResort, path: paths.root)
        }
        for topic in topicsByName {
            for partition in topic.partitions {
                try partition.restore(rows[topic.incarnation]?[partition.number], storage)
            }
        }
    }

    /// Writes an entry's batches to where they belong.
    private mutating func replay(_ entry: [UInt8]) throws(LogError) {
        var failure: LogError?
        let count = entry.withUnsafeBytes { JournalEntryHeader($0)?.partCount ?? 0 }
        entry.withUnsafeBytes { bytes in
            var place = JournalFormat.entryHeaderBytes
            do throws(LogError) {
                for _ in 0..<count {
                    guard let part = JournalPart.read(bytes, &place) else {
                        throw LogError(.damaged, "a journal entry with a right checksum does not parse", path: paths.journal)
                    }
                    try replay(part)
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    private mutating func replay(_ part: JournalPart) throws(LogError) {
        guard let partition = topics[part.incarnation]?.partition(part.partition) else {
            if deleted.contains(part.incarnation) { return }
            throw LogError(
                .damaged, "the journal has records for partition \(part.partition) of a topic with incarnation \(part.incarnation.text), which "
                    + "is not here; restore its folder, \(LogError.lastResort)", path: paths.root)
        }
        if part.nextOffset <= partition.startOffset { return }
        let file = try files.file(partition, part.segmentBase, forWriting: true)
        try file.write(part.batches, at: Int64(part.position))
        try files.syncSurplus()
        written.insert(partition.directory)
        let now = clock.now()
        let (base, size, next, timestamp) = (part.segmentBase, part.position + part.batches.count, part.nextOffset, part.maxTimestamp)
        partition.state.withLock { $0.replay(segmentBase: base, size: size, nextOffset: next, maxTimestamp: timestamp, now: now) }
    }

    /// Records the recovered state, after which every journal file is free, and begins a generation.
    private func startJournal(_ scanner: JournalScanner, _ checkpoint: Checkpoint, _ cycle: UInt64) throws(LogError) -> Journal {
        let lastGeneration = max(scanner.lastGeneration, checkpoint.generation)
        let rows = topicsByName.flatMap(\.partitions).map(\.checkpointRow)
        let recovered = Checkpoint(
            logID: checkpoint.logID, cycle: cycle, generation: lastGeneration + 1, position: JournalFormat.block, clean: false, rows: rows)
        try recovered.write(storage, paths)
        for partition in topicsByName.flatMap(\.partitions) {
            partition.state.withLock { state in
                let base = state.segments.last?.base ?? 0
                state.checkpointedBase = base
            }
        }
        for incarnation in deleted { try storage.remove(paths.deleted(incarnation)) }
        let (free, others) = scanner.reusable(fileBytes: configuration.journalFileBytes)
        for path in others { try storage.remove(path) }
        let journal = try Journal(
            storage: storage, directory: paths.journal, fileBytes: configuration.journalFileBytes, logID: checkpoint.logID,
            isCached: configuration.acknowledge != .fsync, free: free, lastGeneration: lastGeneration)
        if free.isEmpty { try journal.prepare() }
        try journal.begin(firstCycle: cycle + 1)
        return journal
    }
}
