/// What the commit thread keeps between cycles.
final class Committer: @unchecked Sendable {
    // Unchecked: only the commit thread touches it (whoever drives the log, when it runs no threads).

    /// One batch of the running cycle.
    struct Plan {
        /// Index of the append and of its part; -1 for the log's own records.
        let item: Int
        let part: Int
        let batch: RecordBatch
        /// The next batch for the same partition, or -1.
        var next: Int
    }

    struct MarkKey: Hashable, Comparable {
        let partition: Int
        let producerID: Int64

        static func < (left: MarkKey, right: MarkKey) -> Bool {
            (left.partition, left.producerID) < (right.partition, right.producerID)
        }
    }

    /// The last durable cycle.
    var cycle: UInt64
    /// Taken from the queue, in order.
    var pending = FIFO<QueuedAppend>()
    /// Queue bytes that finished cycles give back.
    var releasedBytes = 0

    var items: [QueuedAppend] = []
    var receipts: [[AppendReceipt]] = []
    var errors: [LogError?] = []
    var plans: [Plan] = []
    var touched: [PartitionLog] = []
    var marks: [MarkKey: (partition: PartitionLog, row: Int64)] = [:]
    /// Idempotent producers of which the cycle has batches.
    var producers: [MarkKey: PartitionLog] = [:]
    /// Keys of producers that made room for others in this cycle.
    var forgottenProducers: [[UInt8]] = []
    /// Keys of producers in topics that are gone.
    var orphanedProducers: [[UInt8]] = []
    /// For each part of the append that is looked at, whether its batch is a repetition.
    var repeated: [Bool] = []

    init(cycle: UInt64) { self.cycle = cycle }

    func reset() {
        items.removeAll(keepingCapacity: true)
        receipts.removeAll(keepingCapacity: true)
        errors.removeAll(keepingCapacity: true)
        plans.removeAll(keepingCapacity: true)
        touched.removeAll(keepingCapacity: true)
        marks.removeAll(keepingCapacity: true)
        producers.removeAll(keepingCapacity: true)
        forgottenProducers.removeAll()
    }

    /// Gives the records' memory back. Before the completions: they wake producers, which allocate their next records, and
    /// the threads would wait for each other in malloc.
    func releaseRecords() {
        plans.removeAll(keepingCapacity: true)
        for index in items.indices { items[index].parts = [] }
    }

    /// Adds a batch to the cycle.
    func add(_ batch: RecordBatch, to partition: PartitionLog, item: Int, part: Int) {
        let index = plans.count
        plans.append(Plan(item: item, part: part, batch: batch, next: -1))
        if partition.commit.firstPlan < 0 {
            partition.commit.firstPlan = index
            partition.commit.planBytes = 0
            partition.commit.planRecords = 0
            touched.append(partition)
        } else {
            plans[partition.commit.lastPlan].next = index
        }
        partition.commit.lastPlan = index
        partition.commit.planBytes += batch.byteCount
        partition.commit.planRecords += batch.recordCount
    }
}
