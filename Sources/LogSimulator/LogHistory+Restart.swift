import EmbeddedLog
import Glibc

extension LogHistory {
    enum Stop: String {
        case close
        case kill
        case power
    }

    /// Stops the log one way or another, recovers it, and compares all it holds with the model.
    /// - Parameter faults: whether the first recovery itself is struck by a power failure.
    mutating func restart(_ stop: Stop, faults: Bool) throws(SimulationFailure) {
        trail.append(stop.rawValue)
        if stop == .close { log?.close() }
        log = nil
        if stop == .power || disk.isOff { disk.losePower() } else { disk.killProcess() }
        try expectSound()
        if faults {
            disk.faults = recoveryFaults()
            trail.append("faults in recovery \(disk.faults)")
            if let recovered = try? recover() { recovered.runFlush() }
            if pick(2) == 0 || disk.isOff { disk.losePower() } else { disk.killProcess() }
            try expectSound()
        }
        do throws(LogError) {
            log = try recover()
        } catch {
            throw failure("the log refuses to start: \(error)")
        }
        if let log, let start = try? log.startOffset(Self.trimmed, 0), let end = try? log.endOffset(Self.trimmed, 0) {
            trail.append("  recovered; trimmed has \(start)..<\(end)")
        }
        try settle()
        try check()
    }

    private mutating func recoveryFaults() -> DiskFaults {
        var faults = DiskFaults()
        switch pick(6) {
        case 0: faults.readErrorPerMille = 20
        case 1: faults.writeErrorPerMille = 50
        case 2: faults.syncErrorPerMille = 50
        default: faults.powerFailsAfter = pick(80)
        }
        return faults
    }

    func recover() throws(LogError) -> EmbeddedLog {
        let configuration = LogConfiguration(
            directory: "/data", minFreeBytes: 20_000, journalBytes: 256 << 10, segmentBytes: 4096, maxRecordBytes: 4096, maxCycleBytes: 16 << 10,
            tailCacheBytes: 8 << 10, maxUnflushedBytes: 32 << 10, maxOpenFiles: 4)
        let log = try UnrecoveredLog(configuration, storage: disk, clock: clock).recover(runsThreads: false)
        try log.ensureTopic(Self.plain, TopicConfiguration(partitions: max(Int(partitions), plainPartitions(log)), compression: compression))
        try log.ensureTopic(Self.trimmed, TopicConfiguration(retentionMilliseconds: 60_000, retentionBytes: 10_000, compression: .lz4))
        try log.ensureTopic(Self.outbox, TopicConfiguration())
        try log.ensureTopic(Self.keys, TopicConfiguration(cleanup: .compact, tombstoneMilliseconds: 20_000, compression: compression))
        try log.ensureTopic(Self.sequenced, TopicConfiguration(compression: .zstd))
        try log.ensureTopic(Self.once, TopicConfiguration(partitions: 2, compression: compression, deduplication: Self.onceWindow))
        return log
    }

    private func plainPartitions(_ log: EmbeddedLog) -> Int {
        log.topics().first { $0.name == Self.plain }?.partitions ?? 1
    }

    mutating func settle() throws(SimulationFailure) {
        guard let log else { return }
        // An unanswered change of the topic may have happened.
        partitions = Int32(plainPartitions(log))
        var contents: [HistoryModel.Place: (start: Int64, records: Set<Int>)] = [:]
        for place in places where place.topic == Self.plain {
            let found = try read(place)
            contents[place] = (found.start, Set(found.records.map(\.record)))
        }
        if let problem = model.settle(contents) { throw failure(problem) }
        try checkKeys(settling: true)
        for place in places where place.topic == Self.plain {
            let actual = log.committedOffset(group: Self.group, topic: place.topic, partition: place.partition)
            if doubtsOffsets { model.committed[place] = actual }
            if let actual, model.attempted[place]?.contains(actual) == true { model.committed[place] = actual }
            model.attempted[place] = []
        }
        doubtsOffsets = false
        if doubtsProducer { try replaceProducer() }
    }

    var places: [HistoryModel.Place] {
        (0..<partitions).map { HistoryModel.Place(topic: Self.plain, partition: $0) } + [HistoryModel.Place(topic: Self.trimmed, partition: 0)]
    }

    /// Compares everything readable with the model.
    mutating func check() throws(SimulationFailure) {
        guard let log, log.refusal == nil, !disk.isOff, disk.faults.powerFailsAfter == nil, disk.faults.readErrorPerMille == 0 else { return }
        for place in places {
            let content = try read(place)
            if let problem = model.check(place, start: content.start, end: content.end, found: content.records) { throw failure(problem) }
            let committed = log.committedOffset(group: Self.group, topic: place.topic, partition: place.partition)
            if committed != model.committed[place] {
                throw failure("the group's offset in \(place) is \(committed ?? -1), and \(model.committed[place] ?? -1) was acknowledged")
            }
        }
        try checkKeys(settling: false)
        try checkOnce()
        let outbox = HistoryModel.Place(topic: Self.outbox, partition: 0)
        let records = try read(outbox).records
        let rows = records.map { Int64($0.record) }
        // Rows were sent from 1 on, and each once: so row and offset go together.
        for record in records where Int64(record.record) != record.offset + 1 { throw failure("the outbox's rows arrived as \(rows)") }
        let end = Int64(records.last?.offset ?? -1) + 1
        for offset in 0..<max(end, model.acknowledgedRow) where !rows.contains(offset + 1) && !model.isLost(outbox, offset) {
            throw failure("row \(offset + 1) of the outbox is missing: \(rows)")
        }
        if end > model.sentRow { throw failure("the outbox has rows to \(end), and \(model.sentRow) was the last sent") }
    }

    mutating func read(
        _ place: HistoryModel.Place
    ) throws(SimulationFailure) -> (start: Int64, end: Int64, records: [(offset: Int64, record: Int)]) {
        guard let log else { return (0, 0, []) }
        do throws(LogError) {
            return try contents(of: place, log, maxBytes: 100 + pick(8000))
        } catch {
            throw failure("\(place) cannot be read: \(error)")
        }
    }

    func contents(
        of place: HistoryModel.Place, _ log: EmbeddedLog, maxBytes: Int
    ) throws(LogError) -> (start: Int64, end: Int64, records: [(offset: Int64, record: Int)]) {
        var records: [(offset: Int64, record: Int)] = []
        let start = try log.startOffset(place.topic, place.partition)
        let end = try log.endOffset(place.topic, place.partition)
        var offset = start
        while offset < end {
            let chunk = try log.read(place.topic, partition: place.partition, from: offset, maxBytes: maxBytes)
            if chunk.isEmpty { break }
            var cursor = chunk.records()
            while try cursor.next() { records.append((cursor.offset, number(cursor.value))) }
            offset = chunk.nextOffset
        }
        return (start, end, records)
    }

    /// The record number that a value holds; -1 if it is not whole.
    private func number(_ value: UnsafeRawBufferPointer?) -> Int {
        guard let value, value.count >= 64 else { return -1 }
        let first = value.loadUnaligned(as: Int64.self)
        for index in 1..<8 where value.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self) != first { return -1 }
        guard value.count > 64, let base = value.baseAddress else { return Int(first) }
        let same = value[64] == UInt8(truncatingIfNeeded: first) && memcmp(base + 64, base + 65, value.count - 65) == 0
        return same ? Int(first) : -1
    }
}
