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
    /// Offset of the first new record; of a repeated batch, that of the first time. -1 if there is none, or if appends are
    /// acknowledged when enqueued.
    package var baseOffset: Int64
    /// Records appended now.
    package var newRecords: Int
    /// Records that were there already.
    package var duplicates: Int
    /// How many of those are the first records, whose rows the producer's mark had brought before.
    package var earlierRows: Int
    /// Whether the whole batch repeats one that its producer had appended with the same sequence.
    package var isRepetition = false
    /// Records whose event ids the topic's window knows, ascending by their index.
    package var known: [KnownEvent] = []

    package init(baseOffset: Int64, newRecords: Int, duplicates: Int, earlierRows: Int = 0) {
        self.baseOffset = baseOffset
        self.newRecords = newRecords
        self.duplicates = duplicates
        self.earlierRows = earlierRows
    }

    /// Where the record at an index of the append is; offset -1 if that is not known.
    /// - Parameter partition: the one appended to.
    package func place(of index: Int, in partition: Int32) -> (partition: Int32, offset: Int64) {
        let after = known.partitionIndex { $0.index >= index }
        if after < known.count, known[after].index == index { return (known[after].partition, known[after].offset) }
        if baseOffset < 0 || index < earlierRows { return (partition, -1) }
        return (partition, baseOffset + Int64(isRepetition ? index : index - earlierRows - after))
    }
}
