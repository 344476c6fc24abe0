/// A module that a group hands batches of records to.
///
/// The runtime calls `write` for one partition at a time, in the order of the log; different partitions of a group
/// may write at the same time. After a crash or a failed call the same records come again: at least once.
public protocol Sink: Module {
    /// Whether a failing `write` left nothing of its batch behind, so that the runtime may split it to find the
    /// record at fault. A sink that is not atomic reports an outcome for each record instead.
    var hasAtomicBatches: Bool { get }

    /// Connects. Thrown ``ModuleError``s of kind transient and blocked are tried again with backoff.
    func open() async throws

    /// Writes a batch of one partition, in order. Returns what became of its records, or throws if all failed alike.
    func write(_ batch: [Record]) async throws -> WriteResult

    /// Releases everything; works after a failed `open`.
    func close() async
}

/// What became of a batch.
public enum WriteResult: Sendable {
    case handled
    /// One error or nil (handled) for each record of the batch, in its order.
    case each([ModuleError?])
}

/// A group's target that keeps the group's offset beside what it writes, in one transaction, which makes its rows
/// exactly-once: a ``TransactionalSink``, or a ``DeliveryChannel`` that conforms to this as well.
///
/// For such a group the stored offset is the only truth.
public protocol TransactionalTarget: Sendable {
    /// The stored offset of the next record to consume; nil if this partition was never committed.
    /// Throws a blocked ``ModuleError`` if the store knows the partition under another incarnation of the topic.
    func committedOffset(of partition: GroupPartition) async throws -> Offset?

    /// Writes the batch and moves the stored offset from `expected` to `next` in one transaction. Throws a blocked
    /// ``ModuleError`` with the code `group.fenced` if the stored offset was not `expected`: another host owns the partition.
    func write(_ batch: [Record], moving partition: GroupPartition, from expected: Offset?, to next: Offset) async throws

    /// Sets the stored offset, for an operator's reset of a group that does not run. Nil forgets it.
    func resetOffset(of partition: GroupPartition, to offset: Offset?) async throws
}

/// A sink that keeps the group's offset beside what it writes, in one transaction. Its batches are atomic.
public protocol TransactionalSink: Sink, TransactionalTarget {}

/// A partition as one group sees it.
public struct GroupPartition: Sendable, Hashable {
    public let group: GroupName
    public let topic: TopicName
    /// The id that the topic got when it was made; a log that was wiped has another.
    public let incarnation: String
    public let partition: PartitionID

    public init(group: GroupName, topic: TopicName, incarnation: String, partition: PartitionID) {
        self.group = group
        self.topic = topic
        self.incarnation = incarnation
        self.partition = partition
    }
}

/// A sink that must know which consumed offsets its records come from, because transforms may have dropped some.
public protocol PositionedSink: Sink {
    /// - Parameters:
    ///   - partition: the partition that all records of the batch come from.
    ///   - covering: the consumed offsets that led to this batch. Its lower bound is where the covering of the
    ///     partition's previous batch ended, or where the group began to read. The batch may be empty.
    func write(_ batch: [Record], of partition: GroupPartition, covering: Range<Offset>) async throws -> WriteResult
}
