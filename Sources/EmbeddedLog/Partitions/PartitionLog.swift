import Synchronization

/// One partition: what is committed, where it lies, and who waits for more.
/// As a handle it spares `append` the look-up by name.
package final class PartitionLog: @unchecked Sendable {
    // Unchecked: `commit` belongs to the commit thread; all else is constant or behind `state`.
    let topic: TopicLog
    package let number: Int32
    let directory: String
    /// Distinguishes partitions inside this process.
    let key: Int
    let state: Mutex<PartitionState>
    /// Only the commit thread touches it (recovery before it starts).
    var commit = PartitionCommitState()

    private static let lastKey = Atomic<Int>(0)

    init(topic: TopicLog, number: Int32) {
        self.topic = topic
        self.number = number
        directory = topic.directory + "/\(number)"
        key = Self.lastKey.wrappingAdd(1, ordering: .relaxed).newValue
        state = Mutex(PartitionState())
    }

    /// The topic's name.
    package var topicName: String { topic.name }

    /// Oldest offset kept.
    package var startOffset: Int64 { state.withLock { $0.startOffset } }
    /// The offset that the next committed record gets.
    package var endOffset: Int64 { state.withLock { $0.endOffset } }

    /// Wakes everyone who waits, whatever for.
    func wakeAll() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.wake() }
    }

    func path(segment base: Int64) -> String { directory + "/" + Segment.name(base) + ".log" }
    func indexPath(segment base: Int64) -> String { directory + "/" + Segment.name(base) + ".index" }
}

/// What the commit thread knows of a partition before the cycle is durable.
struct PartitionCommitState {
    var nextOffset: Int64 = 0
    var segmentBase: Int64 = 0
    var segmentSize = 0
    var segmentCreatedAt: Int64 = 0
    /// Last outbox row of each producer.
    var lastRows: [Int64: Int64] = [:]
    var producers = ProducerTable()
    /// This cycle's appends, linked through the cycle's plan; -1 is none.
    var firstPlan = -1
    var lastPlan = -1
    var planBytes = 0
    var planRecords = 0

    /// The offset that the next record added to the cycle will get.
    var plannedOffset: Int64 { nextOffset + (firstPlan < 0 ? 0 : Int64(planRecords)) }
}

/// What readers see of a partition.
struct PartitionState {
    var startOffset: Int64 = 0
    var endOffset: Int64 = 0
    /// In the order of their base offsets; the last takes the appends.
    var segments: [Segment] = []
    /// Recently committed slices, in order; a prefix of them has been flushed.
    var tail = FIFO<TailSlice>()
    var flushedSlices = 0
    /// Whether the flusher has the partition on its list.
    var awaitsFlush = false
    /// Segments with smaller base offsets are durable, and no journal entry refers to them.
    var checkpointedBase: Int64 = 0
    /// Offset up to which compaction has gone.
    var compactedOffset: Int64 = 0
    var waiters: [Waiter] = []
    /// A range up to `endOffset`, as long as nothing is appended, that a reader found to hold no records.
    var withoutRecords: Range<Int64> = 0..<0
    var deleted = false

    /// Offset up to which segment files hold the records.
    var flushedOffset: Int64 {
        flushedSlices < tail.count ? tail[flushedSlices].baseOffset : endOffset
    }
}

/// A partition's share of one commit cycle, in memory.
struct TailSlice {
    let cycle: UInt64
    let buffer: CycleBuffer
    let start: Int
    let count: Int
    let baseOffset: Int64
    let nextOffset: Int64
    let segmentBase: Int64
    let position: Int
    let maxTimestamp: Int64

    var bytes: UnsafeRawBufferPointer { buffer.bytes(start, count) }
}

/// Someone who waits for records at or after an offset.
struct Waiter {
    let id: UInt64
    let offset: Int64
    let wake: @Sendable () -> Void
}
