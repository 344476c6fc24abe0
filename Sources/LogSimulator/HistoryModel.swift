/// What the log has to hold: a small model in memory.
struct HistoryModel {
    struct Place: Hashable {
        let topic: String
        let partition: Int32
    }

    enum Outcome {
        case unknown
        case kept
        case absent
    }

    /// One append: for each partition the numbers of its records.
    struct Append {
        var parts: [(place: Place, records: ClosedRange<Int>)]
        var outcome = Outcome.unknown
        var acknowledged = false
    }

    /// Appends in the order they were made; record numbers ascend.
    var appends: [Append] = []
    var lastRecord = 0
    /// Offsets of acknowledged records.
    var offsets: [Place: [Int: Int64]] = [:]
    /// Acknowledged and possible offsets of the group.
    var committed: [Place: Int64] = [:]
    var attempted: [Place: [Int64]] = [:]
    /// The outbox: rows 1, 2, ...; the last acknowledged and the last ever sent.
    var acknowledgedRow: Int64 = 0
    var sentRow: Int64 = 0
    var producer = ProducerModel()
    var once = OnceModel()
    /// What each key of the compacted topic may be: the acknowledged state first, then unanswered ones.
    var keys: [Int: [Int?]] = [:]
    /// What repairs gave up and named.
    var lost: [Place: [Range<Int64>]] = [:]

    mutating func begin(_ parts: [(place: Place, count: Int)]) -> Int {
        var append = Append(parts: [])
        for part in parts {
            append.parts.append((part.place, (lastRecord + 1)...(lastRecord + part.count)))
            lastRecord += part.count
        }
        appends.append(append)
        return appends.count - 1
    }

    mutating func acknowledge(_ index: Int, baseOffsets: [Int64]) {
        appends[index].outcome = .kept
        appends[index].acknowledged = true
        for (part, base) in zip(appends[index].parts, baseOffsets) {
            for record in part.records { offsets[part.place, default: [:]][record] = base + Int64(record - part.records.lowerBound) }
        }
    }

    mutating func refuse(_ index: Int) { appends[index].outcome = .absent }

    /// Compares a partition's records with the model; returns what is wrong.
    /// - Parameter found: offset and record number, as read from the start to the end.
    func check(_ place: Place, start: Int64, end: Int64, found: [(offset: Int64, record: Int)]) -> String? {
        var next = start
        for (index, item) in found.enumerated() {
            next = afterLost(place, next)
            if item.offset != next { return "\(place) has offset \(item.offset) where \(next) belongs" }
            next += 1
            if index > 0, found[index - 1].record >= item.record { return "\(place): record \(item.record) comes after \(found[index - 1].record)" }
        }
        if afterLost(place, next) != end { return "\(place) ends at \(end), but holds \(found.count) records from \(start)" }
        let byRecord = Dictionary(uniqueKeysWithValues: found.map { ($0.record, $0.offset) })
        for append in appends {
            for part in append.parts where part.place == place {
                for record in part.records {
                    let offset = byRecord[record]
                    if append.outcome == .absent, let offset { return "\(place): record \(record) at \(offset) had been refused" }
                    guard append.acknowledged, let expected = offsets[place]?[record], expected >= start, !isLost(place, expected) else { continue }
                    if offset != expected { return "\(place): record \(record) was acknowledged at \(expected), and is at \(offset ?? -1)" }
                }
            }
        }
        let known = Set(appends.lazy.flatMap { $0.parts.lazy.filter { $0.place == place }.flatMap { Array($0.records) } })
        if let invented = found.first(where: { !known.contains($0.record) }) { return "\(place): record \(invented.record) was never appended" }
        return nil
    }

    func isLost(_ place: Place, _ offset: Int64) -> Bool { lost[place]?.contains { $0.contains(offset) } ?? false }

    /// The first offset from this one on that was not given up.
    private func afterLost(_ place: Place, _ offset: Int64) -> Int64 {
        var next = offset
        while let range = lost[place]?.first(where: { $0.contains(next) }) { next = range.upperBound }
        return next
    }

    /// After a restart, settles which of the unanswered appends are kept; all partitions of one or none.
    mutating func settle(_ contents: [Place: (start: Int64, records: Set<Int>)]) -> String? {
        for index in appends.indices where appends[index].outcome == .unknown {
            var kept: Bool?
            for part in appends[index].parts {
                guard let content = contents[part.place] else { continue }
                for record in part.records {
                    let here = content.records.contains(record)
                    if let kept, kept != here { return "the append of records \(appends[index].parts.map(\.records)) is there in part" }
                    kept = here
                }
            }
            // What retention may have taken away cannot be told: it counts as possible.
            appends[index].outcome = kept == false ? .absent : .kept
        }
        return nil
    }
}
