import Martlet
import Pipelines

/// Some records of a topic, of all partitions that are read, older ones first.
struct RecordPage: Sendable {
    /// Bytes of records that one page holds, about.
    static let bytesMax = 4 << 20

    private(set) var records: [Record] = []
    /// Where the next page begins.
    private(set) var cursor: RecordCursor

    /// Reads what is there. Records that retention has removed are passed over.
    static func read(
        _ log: any EventLog, _ topic: TopicName, from cursor: RecordCursor, limit: Int
    ) async throws -> RecordPage {
        let share = max(16_384, min(bytesMax / max(1, cursor.positions.count), limit * 4096))
        var page = RecordPage(cursor: cursor)
        var found = cursor.positions.map { _ in ArraySlice<Record>() }
        var bytes = 0
        // Begins anywhere, so that no partition is left out for good when the page is full before its turn.
        let first = cursor.positions.isEmpty ? 0 : Int.random(in: 0..<cursor.positions.count)
        for turn in cursor.positions.indices where bytes < bytesMax {
            let index = (first + turn) % cursor.positions.count
            let records = try await page.read(log, topic, index, maxBytes: share)
            bytes += records.reduce(0) { $0 + $1.event.payload.count }
            found[index] = records[...]
        }
        page.merge(found, limit: limit)
        return page
    }

    private init(cursor: RecordCursor) {
        self.cursor = cursor
    }

    private mutating func read(
        _ log: any EventLog, _ topic: TopicName, _ index: Int, maxBytes: Int
    ) async throws -> [Record] {
        let position = cursor.positions[index]
        do {
            return try await log.read(topic: topic, partition: position.partition, from: position.next, maxBytes: maxBytes)
        } catch let error as OffsetOutOfRange {
            guard error.offset < error.available.lowerBound else { throw beyondEnd(error, topic, position.partition) }
            cursor.positions[index].next = error.available.lowerBound
            return try await log.read(
                topic: topic, partition: position.partition, from: error.available.lowerBound, maxBytes: maxBytes)
        }
    }

    private func beyondEnd(_ error: OffsetOutOfRange, _ topic: TopicName, _ partition: PartitionID) -> AdminProblem {
        AdminProblem(
            422, "Unprocessable Content",
            "offset \(error.offset) is past the end of \(topic)/\(partition), which has \(error.available.lowerBound) up to "
                + "\(error.available.upperBound)")
    }

    /// The order of each partition is kept; between partitions the older record goes first.
    private mutating func merge(_ found: [ArraySlice<Record>], limit: Int) {
        var found = found
        while records.count < limit {
            var oldest: Int?
            for (index, queue) in found.enumerated() {
                guard let head = queue.first else { continue }
                if let current = oldest.flatMap({ found[$0].first }), current.event.timestamp <= head.event.timestamp { continue }
                oldest = index
            }
            guard let oldest, let record = found[oldest].popFirst() else { return }
            records.append(record)
            cursor.positions[oldest].next = record.offset + 1
        }
    }
}
