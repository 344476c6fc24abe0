/// What keeps topics: the engine `embedded`, another host's (`remote`), or a ``SharedLog`` such as `kafka`.
///
/// Appends are callback-based, since they cross threads in batches; reads return what is there, and wait for nothing new.
/// May be called from any thread. Errors are ``ModuleError``s, transient while the log is not open, or where a method names others;
/// a task that is cancelled may get `CancellationError`.
public protocol EventLog: Sendable {
    /// Opens or recovers the log.
    func open() async throws

    /// Makes the topic, or adds partitions to it. Fewer partitions than the data has is an error that says so.
    func ensureTopic(_ name: TopicName, _ settings: TopicSettings) async throws -> TopicInfo

    /// The most bytes that an event may have, counted as ``Event/byteCount``. The platform offers no larger ones.
    var maxEventBytes: Int { get }

    /// Nil for a topic that this host's log does not know, or has not heard of yet. Quick.
    func topic(_ name: TopicName) -> TopicInfo?

    /// The topics that ``topic(_:)`` knows, but for those of the log's own.
    func topics() -> [TopicInfo]

    /// Appends events to one topic, each to the partition of its key. `completion` is called once, on any thread,
    /// after the log has acknowledged all of them as durable as configured, with their places in order. After a transient
    /// error they may have been kept all the same: the caller tries again, and a mark keeps them from standing there twice.
    /// - Parameter mark: makes repeated appends of the same rows idempotent; nil for none.
    func append(
        _ events: [Event], to topic: TopicName, mark: ProducerMark?,
        completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    )

    /// Records from `offset` on, at most about `maxBytes` of them (at least one); empty at the end.
    /// Throws ``OffsetOutOfRange`` below the first offset kept or beyond the end.
    func read(topic: TopicName, partition: PartitionID, from offset: Offset, maxBytes: Int) async throws -> [Record]

    /// Records of some keys from `offset` on, in order, at most about `limit` of them. It looks no further than `end`, and
    /// may look less far: it goes on at ``KeyedRecords/next``. Throws as ``read(topic:partition:from:maxBytes:)``.
    func read(
        topic: TopicName, partition: PartitionID, keys: [Bytes], from offset: Offset, to end: Offset, limit: Int
    ) async throws -> KeyedRecords

    /// Returns once there is a record at `offset` or after it, or the task is cancelled. Does not poll.
    func waitForRecord(topic: TopicName, partition: PartitionID, at offset: Offset) async throws

    /// A topic with its incarnation, its partitions and their offsets, all as the log has them at one moment. It asks
    /// wherever the log is, and never answers from memory of an earlier time.
    func positions(of topic: TopicName) async throws -> TopicPositions

    /// The first offset kept and the offset that the next record will get. Quick; on a host without the log it is what
    /// that host last heard, and only for show.
    func offsets(topic: TopicName, partition: PartitionID) throws -> Range<Offset>

    /// The first record at or after a time in milliseconds since the epoch; the end if there is none.
    func offset(topic: TopicName, partition: PartitionID, at timestamp: Int64) async throws -> Offset

    /// The stored offset of the next record to consume; nil if the group has committed none.
    func committedOffset(group: GroupName, topic: TopicName, partition: PartitionID) async throws -> Offset?

    /// Stores the offset of the next record to consume.
    func commit(group: GroupName, topic: TopicName, partition: PartitionID, offset: Offset) async throws

    /// Groups that have committed offsets.
    func committedGroups() async throws -> [GroupName]

    /// Clean stop: everything acknowledged is synced, the next start is quick.
    func close() async
}

/// A topic as the config describes it.
public struct TopicSettings: Sendable, Hashable {
    /// What becomes of old records.
    public enum Cleanup: String, Sendable, CaseIterable {
        case delete, compact
    }

    /// How record batches are compressed when they are appended, in Kafka's encodings.
    public enum Compression: String, Sendable, CaseIterable {
        case none, lz4, zstd
    }

    /// How long the log knows an event's id: an event whose id it knows is acknowledged with its first place, and not kept again.
    public struct Deduplication: Sendable, Hashable {
        /// The newest events of the topic whose ids are known.
        public var windowEvents: Int
        /// The age up to which ids are known.
        public var windowMilliseconds: Int64

        public init(windowEvents: Int, windowMilliseconds: Int64) {
            self.windowEvents = windowEvents
            self.windowMilliseconds = windowMilliseconds
        }
    }

    public var partitions: Int
    public var retentionMilliseconds: Int64?
    /// Per partition.
    public var retentionBytes: Int64?
    public var segmentBytes: Int
    public var cleanup: Cleanup
    public var compression: Compression
    /// Nil to keep every event, whatever its id.
    public var deduplication: Deduplication?

    public init(
        partitions: Int, retentionMilliseconds: Int64?, retentionBytes: Int64?, segmentBytes: Int, cleanup: Cleanup,
        compression: Compression = .none, deduplication: Deduplication? = nil
    ) {
        self.partitions = partitions
        self.retentionMilliseconds = retentionMilliseconds
        self.retentionBytes = retentionBytes
        self.segmentBytes = segmentBytes
        self.cleanup = cleanup
        self.compression = compression
        self.deduplication = deduplication
    }
}

/// A topic as the log has it.
public struct TopicInfo: Sendable, Hashable {
    public let name: TopicName
    public let partitions: Int
    /// Made with the topic; a wiped log has another.
    public let incarnation: String

    public init(name: TopicName, partitions: Int, incarnation: String) {
        self.name = name
        self.partitions = partitions
        self.incarnation = incarnation
    }
}

/// A topic at one moment.
public struct TopicPositions: Sendable, Hashable {
    public let topic: TopicInfo
    /// For each partition, the first offset kept and the offset that the next record will get.
    public let offsets: [Range<Offset>]

    public init(topic: TopicInfo, offsets: [Range<Offset>]) {
        self.topic = topic
        self.offsets = offsets
    }
}

extension EventLog {
    /// For a log in this process, whose ``topic(_:)`` and ``offsets(topic:partition:)`` are never out of date.
    public func positions(of name: TopicName) async throws -> TopicPositions {
        guard let topic = topic(name) else {
            throw ModuleError.transient("log.unknown_topic", "the log does not know the topic \(name) yet")
        }
        return TopicPositions(
            topic: topic, offsets: try (0..<PartitionID(topic.partitions)).map { try offsets(topic: name, partition: $0) })
    }
}

/// The records of some keys in a piece of a partition.
public struct KeyedRecords: Sendable {
    public let records: [Record]
    /// Everything before it has been looked at; where the reading began, if there is nothing.
    public let next: Offset

    public init(records: [Record], next: Offset) {
        self.records = records
        self.next = next
    }
}

extension EventLog {
    /// For a log that cannot look for keys: reads a page and leaves the others out.
    public func read(
        topic: TopicName, partition: PartitionID, keys: [Bytes], from offset: Offset, to end: Offset, limit: Int
    ) async throws -> KeyedRecords {
        var next = offset
        var found: [Record] = []
        for record in try await read(topic: topic, partition: partition, from: offset, maxBytes: 1 << 20) {
            if record.offset >= end { return KeyedRecords(records: found, next: end) }
            if found.count == limit { break }
            next = record.offset + 1
            if keys.contains(where: { $0 == record.event.key }) { found.append(record) }
        }
        return KeyedRecords(records: found, next: next)
    }
}

/// Where an event landed.
public struct RecordPlace: Sendable, Hashable {
    public let partition: PartitionID
    public let offset: Offset

    public init(partition: PartitionID, offset: Offset) {
        self.partition = partition
        self.offset = offset
    }
}

/// Outbox row numbers of events, ascending, one each. The log keeps the last row per producer and partition and
/// drops rows it already has.
public struct ProducerMark: Sendable {
    public let producerID: Int64
    public let rows: [Int64]

    public init(producerID: Int64, rows: [Int64]) {
        self.producerID = producerID
        self.rows = rows
    }
}

/// An offset that the partition does not have.
public struct OffsetOutOfRange: Error, Sendable {
    public let offset: Offset
    /// The first offset kept, up to the end.
    public let available: Range<Offset>

    public init(offset: Offset, available: Range<Offset>) {
        self.offset = offset
        self.available = available
    }
}
