/// When an append is acknowledged. Each level is named for what has happened by then.
package enum Acknowledgement: Sendable, Equatable {
    /// The records are on disk and synced: they survive `kill -9` and loss of power. The default.
    case fsync
    /// The operating system has the records: they survive `kill -9`, not loss of power.
    case written
    /// The records are in the append queue: they survive nothing. Receipts carry offset -1.
    case enqueued
}

/// Settings of one embedded log. Every limit has a default and a stated answer at the limit.
package struct LogConfiguration: Sendable {
    /// The data folder; everything of the log lies in `<directory>/log`.
    package var directory: String
    package var acknowledge: Acknowledgement
    /// Below this much free space appends are refused with `storageFull`, before the disk is full.
    /// Offsets of groups are taken down to half of it, so that consumers can go on.
    package var minFreeBytes: Int64
    /// Total size of the journal, preallocated in four files. An append waits when it is full.
    package var journalBytes: Int
    /// Size at which a topic without its own setting starts a new segment.
    package var segmentBytes: Int
    /// Bound of the queue of unacknowledged appends; past it appends are refused with `overloaded`.
    package var maxQueuedBytes: Int
    /// Largest record (key, value and headers, encoded); larger ones are refused with `recordTooLarge`.
    package var maxRecordBytes: Int
    /// Largest group of appends made durable by one sync. At least one append is always taken.
    package var maxCycleBytes: Int
    /// Recently committed records kept in memory for readers at the tail, over all partitions.
    package var tailCacheBytes: Int
    /// Committed records that may wait in memory (and in the journal) for their segments.
    package var maxUnflushedBytes: Int
    /// Segment files kept open, over all partitions.
    package var maxOpenFiles: Int
    /// How often retention and compaction look for work, in milliseconds.
    package var maintenanceMilliseconds: Int64
    /// Idempotent producers that a partition remembers; past it the one that appended longest ago is forgotten.
    package var maxProducers: Int
    /// How long a partition remembers an idempotent producer that appends nothing, in milliseconds. It may be longer: the
    /// expired are forgotten when others come.
    package var producerExpiryMilliseconds: Int64

    package init(
        directory: String,
        acknowledge: Acknowledgement = .fsync,
        minFreeBytes: Int64 = 256 << 20,
        journalBytes: Int = 128 << 20,
        segmentBytes: Int = 64 << 20,
        maxQueuedBytes: Int = 64 << 20,
        maxRecordBytes: Int = 1 << 20,
        maxCycleBytes: Int = 4 << 20,
        tailCacheBytes: Int = 16 << 20,
        maxUnflushedBytes: Int = 48 << 20,
        maxOpenFiles: Int = 1_024,
        maintenanceMilliseconds: Int64 = 30_000,
        maxProducers: Int = 1_000,
        producerExpiryMilliseconds: Int64 = 86_400_000
    ) {
        self.directory = directory
        self.acknowledge = acknowledge
        self.minFreeBytes = minFreeBytes
        self.journalBytes = journalBytes
        self.segmentBytes = segmentBytes
        self.maxQueuedBytes = maxQueuedBytes
        self.maxRecordBytes = maxRecordBytes
        self.maxCycleBytes = maxCycleBytes
        self.tailCacheBytes = tailCacheBytes
        self.maxUnflushedBytes = maxUnflushedBytes
        self.maxOpenFiles = maxOpenFiles
        self.maintenanceMilliseconds = maintenanceMilliseconds
        self.maxProducers = maxProducers
        self.producerExpiryMilliseconds = producerExpiryMilliseconds
    }

    /// Size of one journal file.
    var journalFileBytes: Int { max(journalBytes / Journal.fileCount, 16 * Journal.blockBytes) / Journal.blockBytes * Journal.blockBytes }

    /// Largest append call: it has to fit into one journal file, beside what the log adds.
    var maxAppendBytes: Int { journalFileBytes - 8 * Journal.blockBytes }
}
