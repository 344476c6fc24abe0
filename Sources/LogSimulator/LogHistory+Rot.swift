import EmbeddedLog

/// Bit rot: one bit of one file is another than it was written. It is refused by name or does no harm; what it damages
/// can be given up, and nothing else is.
extension LogHistory {
    /// A log that starts must be sound to `verify` too; not asked each time, for it costs as much as the rest.
    mutating func expectSound() throws(SimulationFailure) {
        if pick(3) != 0 { return }
        let report = try inspect { (inspection) throws(LogError) in try inspection.verify() }
        guard let finding = report?.findings.first else { return }
        let start = Result { () throws(LogError) in try recover() }
        throw failure("verify finds damage, and the log \(start.map { _ in "starts" }.mapError { $0 }): \(finding)")
    }

    mutating func rot() throws(SimulationFailure) {
        // Without faults and with all answers in, so that it is known what belongs there.
        try restart(.kill, faults: false)
        for _ in 0..<(3 + pick(12)) { try work() }
        let stop = [Stop.close, .kill, .power].randomElement(using: &random) ?? .kill
        trail.append("rot after \(stop.rawValue)")
        if stop == .close { log?.close() }
        log = nil
        if stop == .power { disk.losePower() } else { disk.killProcess() }
        let before = try inspect { (inspection) throws(LogError) in try inspection.verify() }
        if let finding = before?.findings.first { throw failure("verify finds damage where there is none: \(finding)") }
        guard let rotten = disk.rot(sparing: before?.lastJournalEntry) else { return try restart(.kill, faults: false) }
        trail.append("  bit at \(rotten.position) of \(rotten.path)")
        if let refusal = try firstRefusal() {
            trail.append("  \(refusal)")
            guard let path = refusal.path, rotten.path.hasPrefix(path) || (path.contains("/~journal") && rotten.path.contains("/~journal")) else {
                throw failure("rot in \(rotten.path) shows as \(refusal)")
            }
            log = nil
            disk.killProcess()
            try repair()
            if isOver { return }
            do throws(LogError) {
                log = try recover()
            } catch {
                throw failure("the log refuses to start after the repair: \(error)")
            }
        }
        try settle()
        try check()
    }

    /// Starts the log and reads all of it; the error that damage shows as, if it does.
    private mutating func firstRefusal() throws(SimulationFailure) -> LogError? {
        do throws(LogError) {
            let recovered = try recover()
            log = recovered
            for topic in recovered.topics() {
                for partition in 0..<Int32(topic.partitions) {
                    _ = try contents(of: HistoryModel.Place(topic: topic.name, partition: partition), recovered, maxBytes: 100 + pick(4000))
                }
            }
            return nil
        } catch {
            switch error.code {
            case .damaged, .checksumMismatch, .unsupportedVersion: return error
            default: throw failure("rot shows as \(error)")
            }
        }
    }

    /// Repairs, perhaps with a loss of power on the way, and takes what was given up out of the model.
    private mutating func repair() throws(SimulationFailure) {
        var losses: [LogFinding.Loss] = []
        let wasInterrupted = pick(3) == 0
        if wasInterrupted {
            let preview = try inspect { (inspection) throws(LogError) in try inspection.verify() }
            losses += preview?.findings.flatMap(\.losses) ?? []
            isOver = leavesModel(preview)
            disk.faults.powerFailsAfter = pick(60)
            trail.append("  power fails in the repair, after \(disk.faults.powerFailsAfter ?? 0)")
            if let inspection = try? LogInspection(directory: "/data", storage: disk) { _ = try? inspection.repair() }
            disk.losePower()
        }
        let report = try inspect { (inspection) throws(LogError) in try inspection.repair() }
        if losses.isEmpty, report?.isSound == true, !wasInterrupted {
            throw failure("the log refuses what verify calls sound")
        }
        losses += report?.findings.flatMap(\.losses) ?? []
        trail.append("  given up: \(losses.map { "\($0.topic)/\($0.partition) \($0.offsets)" })")
        try expectSound()
        for loss in losses {
            model.lost[HistoryModel.Place(topic: loss.topic, partition: loss.partition), default: []].append(loss.offsets)
        }
        isOver = isOver || leavesModel(report)
        let topics = Set(losses.map(\.topic))
        if topics.contains(Self.keys) { model.keys = [:]; doubtsKeys = true }
        if topics.contains("__consumer_offsets") { doubtsOffsets = true }
        if topics.contains("__producer_state") || topics.contains(Self.sequenced) { doubtsProducer = true }
        forgetLostEvents()
    }

    /// Whether what was lost cannot be taken out of the model: losses without a place, and settings by which ids were known.
    private func leavesModel(_ report: LogReport?) -> Bool {
        report?.findings.contains { $0.unplacedBytes > 0 || ($0.subject == .topic && $0.path.contains("/\(Self.once)/")) } ?? false
    }

    /// The answer of an inspection; `nil` if there is no log yet.
    private mutating func inspect(_ body: (LogInspection) throws(LogError) -> LogReport) throws(SimulationFailure) -> LogReport? {
        do throws(LogError) {
            return try body(try LogInspection(directory: "/data", storage: disk))
        } catch {
            if error.code == .notFound { return nil }
            throw failure("the log cannot be inspected: \(error)")
        }
    }
}
