/// Row numbers of the records of one append in the producer's outbox, so that a replay after a
/// crash is recognised.
package struct ProducerMark: Sendable {
    package let producerID: Int64
    /// One for each record, ascending.
    package let rows: [Int64]

    package init(producerID: Int64, rows: [Int64]) {
        self.producerID = producerID
        self.rows = rows
    }
}

/// Records for one partition.
package struct PartitionAppend: Sendable {
    enum Target: Sendable {
        case name(String, Int32)
        case partition(PartitionLog)
    }

    let target: Target
    let records: RecordBatch
    let producer: ProducerMark?

    /// - Parameter producer: records with a row at or below the producer's last one in this partition are
    ///   dropped as already there.
    package init(topic: String, partition: Int32, records: RecordBatch, producer: ProducerMark? = nil) {
        target = .name(topic, partition)
        self.records = records
        self.producer = producer
    }

    /// The same with a partition looked up before (`EmbeddedLog.partition`).
    package init(_ partition: PartitionLog, records: RecordBatch, producer: ProducerMark? = nil) {
        target = .partition(partition)
        self.records = records
        self.producer = producer
    }
}

/// Where the records of one `PartitionAppend` went.
package struct AppendReceipt: Sendable, Equatable {
    /// Offset of the first new record; -1 if there was none, or if appends are acknowledged when enqueued.
    package var baseOffset: Int64
    /// Records appended now.
    package var newRecords: Int
    /// Records that the producer's earlier append had already brought.
    package var duplicates: Int

    package init(baseOffset: Int64, newRecords: Int, duplicates: Int) {
        self.baseOffset = baseOffset
        self.newRecords = newRecords
        self.duplicates = duplicates
    }
}
