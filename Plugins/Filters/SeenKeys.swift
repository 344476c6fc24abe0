import Martlet

/// The keys that were let through last, with where: a bounded window.
struct SeenKeys {
    /// The record that a key was let through with.
    private struct Entry {
        let topic: TopicName
        let partition: PartitionID
        let offset: Offset
        let index: Int32
        let timestamp: Int64
        /// Tells the entry from an older one of the same key, whose place in the queue is still there.
        let number: Int

        func isOf(_ record: Record) -> Bool {
            offset == record.offset && partition == record.partition && index == record.index && topic == record.topic
        }
    }

    private var entries: [Bytes: Entry] = [:]
    private var order = FIFOQueue<(key: Bytes, number: Int)>()
    private var lastNumber = 0
    private let limit: Int
    private let age: Int64

    /// - Parameters:
    ///   - limit: keys to remember; past it the oldest is forgotten.
    ///   - age: milliseconds between the timestamps of two events, beyond which they are not the same.
    init(limit: Int, age: Int64) {
        self.limit = limit
        self.age = age
    }

    var count: Int { entries.count }

    /// Whether another record with this key was let through within the window; if not, this one is. The same record coming
    /// again, as after a failure behind the transform, is no duplicate of itself.
    mutating func isDuplicate(_ key: Bytes, _ record: Record) -> Bool {
        if let seen = entries[key] {
            if seen.isOf(record) { return false }
            let between = record.event.timestamp.subtractingReportingOverflow(seen.timestamp)
            if !between.overflow, between.partialValue.magnitude <= age.magnitude { return true }
        }
        lastNumber += 1
        entries[key] = Entry(
            topic: record.topic, partition: record.partition, offset: record.offset, index: record.index,
            timestamp: record.event.timestamp, number: lastNumber)
        order.append((key, lastNumber))
        while entries.count > limit {
            let oldest = order.removeFirst()
            if entries[oldest.key]?.number == oldest.number { entries[oldest.key] = nil }
        }
        while order.count > max(64, entries.count * 2) {
            let oldest = order.removeFirst()
            if entries[oldest.key]?.number == oldest.number { order.append(oldest) }
        }
        return false
    }
}
