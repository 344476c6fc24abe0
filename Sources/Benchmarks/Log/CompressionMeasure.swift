import EmbeddedLog

/// What compression costs and saves with events that look like likes: batches of 100, which differ in their numbers and ids.
struct CompressionMeasure {
    private static let topic = "bench"
    private static let batch = 100
    /// Batches made before the clock starts, and appended in turn: making the text would cost more than all else.
    private static let batchCount = 64

    private let settings: BenchmarkSettings

    init(_ settings: BenchmarkSettings) {
        self.settings = settings
    }

    func measure(_ report: inout BenchmarkReport) throws {
        for compression in Compression.allCases {
            let folder = try TemporaryFolder(in: settings.directory)
            let log = try UnrecoveredLog(LogConfiguration(directory: folder.path, acknowledge: .written, minFreeBytes: 0)).recover()
            defer { log.close() }
            try log.ensureTopic(Self.topic, TopicConfiguration(compression: compression))
            let name = "likes, \(compression.rawValue), batches of \(Self.batch)"
            let rate = try append(to: log)
            report.add("append, one producer: \(name)", rate, "events/s")
            let (events, bytes, perSecond) = try read(log)
            report.add("read and decode: \(name)", perSecond, "events/s")
            report.add("stored: \(name)", Double(bytes) / Double(max(events, 1)), "bytes/event")
        }
    }

    /// Appends each batch when the last is acknowledged; returns events a second.
    private func append(to log: EmbeddedLog) throws -> Double {
        let partition = try log.partition(Self.topic, 0)
        let batches = (0..<Self.batchCount).map(Self.likes)
        let answered = Signal()
        let start = MonotonicClock.now
        let end = start + MonotonicClock.seconds(settings.seconds / 2)
        var events = 0
        while MonotonicClock.now < end {
            let records = batches[events / Self.batch % batches.count]
            log.append([PartitionAppend(partition, records: records)]) { _ in answered.raise() }
            guard answered.wait(atMost: 10) else { throw BenchmarkError("an append was not acknowledged within 10 s") }
            events += Self.batch
        }
        return Double(events) / (Double(MonotonicClock.now - start) / 1e9)
    }

    private func read(_ log: EmbeddedLog) throws -> (events: Int, bytes: Int, perSecond: Double) {
        let partition = try log.partition(Self.topic, 0)
        let start = MonotonicClock.now
        let end = start + MonotonicClock.seconds(settings.seconds)
        var offset = partition.startOffset
        var events = 0
        var bytes = 0
        while offset < partition.endOffset, MonotonicClock.now < end {
            let chunk = try log.read(partition, from: offset, maxBytes: 256 << 10)
            bytes += chunk.byteCount
            var cursor = chunk.records()
            while try cursor.next() { events += 1 }
            offset = chunk.nextOffset
        }
        return (events, bytes, Double(events) / (Double(MonotonicClock.now - start) / 1e9))
    }

    private static func likes(_ number: Int) -> RecordBatch {
        var builder = RecordBatchBuilder()
        var random: UInt64 = 0x9E37_79B9_7F4A_7C15 &* UInt64(number + 1)
        for index in 0..<batch {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            let (actor, owner, post) = (random % 100_000, random >> 20 % 20_000, random >> 40)
            let value =
                #"{"type":"like","recipient":"user-\#(owner)","actor":"user-\#(actor)","post_id":\#(post),"text":"user-\#(actor) liked your post"}"#
            // A UUIDv7: the time, then random digits.
            let digits = String(random &* 0x2545_F491_4F6C_DD1D | 1 << 63, radix: 16)
            let id = "0190f3c0-\(String(4096 + number % 4096, radix: 16))-7\(digits.prefix(3))-8\(digits.dropFirst(3).prefix(3))-\(digits.suffix(10))00"
            builder.append(
                timestamp: 1_700_000_000_000 + Int64(number * batch + index), key: Array("user-\(owner)".utf8), value: Array(value.utf8),
                headers: [RecordHeader(name: RecordHeader.eventID, value: id)])
        }
        return builder.finish()
    }
}
