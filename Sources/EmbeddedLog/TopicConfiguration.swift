/// What becomes of old records.
package enum Cleanup: String, Sendable, Equatable {
    /// Whole segments are deleted by age and size.
    case delete
    /// The newest record of each key is kept; a record without value (a tombstone) deletes its key.
    case compact
}

/// Settings of one topic.
package struct TopicConfiguration: Sendable, Equatable {
    /// Number of partitions. It can grow on a live topic (keys move then), never shrink.
    package var partitions: Int
    /// Age past which whole segments are deleted, in milliseconds; `nil` keeps for ever.
    package var retentionMilliseconds: Int64?
    /// Size of each partition past which its oldest whole segments are deleted; `nil` has no bound.
    package var retentionBytes: Int64?
    /// Size at which a new segment is started; `nil` takes the log's.
    package var segmentBytes: Int?
    package var cleanup: Cleanup
    /// Compaction leaves records younger than this alone, in milliseconds.
    package var compactionAgeMilliseconds: Int64
    /// How long compaction keeps the newest record of a key if it is a tombstone, in milliseconds: readers
    /// that start later do not learn of the deletion.
    package var tombstoneMilliseconds: Int64
    /// How batches are compressed when they are appended; what is there already stays as it is.
    package var compression: Compression
    /// The window of event ids that appends are checked against; `nil` keeps every record.
    package var deduplication: DeduplicationWindow?

    package init(
        partitions: Int = 1,
        retentionMilliseconds: Int64? = nil,
        retentionBytes: Int64? = nil,
        segmentBytes: Int? = nil,
        cleanup: Cleanup = .delete,
        compactionAgeMilliseconds: Int64 = 0,
        tombstoneMilliseconds: Int64 = 86_400_000,
        compression: Compression = .none,
        deduplication: DeduplicationWindow? = nil
    ) {
        self.partitions = partitions
        self.retentionMilliseconds = retentionMilliseconds
        self.retentionBytes = retentionBytes
        self.segmentBytes = segmentBytes
        self.cleanup = cleanup
        self.compactionAgeMilliseconds = compactionAgeMilliseconds
        self.tombstoneMilliseconds = tombstoneMilliseconds
        self.compression = compression
        self.deduplication = deduplication
    }
}

/// How long a topic knows an event's id, over all its partitions: a record that brings a known one is a duplicate.
package struct DeduplicationWindow: Sendable, Equatable {
    /// The newest records whose ids are known, 1 to 1,000,000; each takes up to about 150 bytes of memory.
    package var events: Int
    /// The age up to which ids are known, in milliseconds.
    package var milliseconds: Int64

    package init(events: Int, milliseconds: Int64) {
        self.events = events
        self.milliseconds = milliseconds
    }
}

/// A topic as it is on disk.
package struct TopicDescription: Sendable, Equatable {
    package let name: String
    /// Made when the topic is created and never again: a topic deleted and created anew, or a log
    /// that was wiped, has another one. Lower-case UUID.
    package let incarnation: String
    package let configuration: TopicConfiguration
    /// Number of partitions.
    package var partitions: Int { configuration.partitions }
}
