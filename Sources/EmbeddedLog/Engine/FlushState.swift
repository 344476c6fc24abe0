/// What the commit thread leaves to the flusher.
struct FlushState {
    /// A committed cycle whose buffer may still be in memory.
    struct CachedCycle {
        let cycle: UInt64
        let bytes: Int
        let partitions: [PartitionLog]
    }

    /// Partitions with slices that their segments lack.
    var dirty: [PartitionLog] = []
    var unflushedBytes = 0
    var committedCycle: UInt64
    var committedGeneration: UInt64
    var committedPosition: Int
    var flushedCycle: UInt64
    /// The last cycle that a durable checkpoint covers.
    var checkpointedCycle: UInt64
    var cached = FIFO<CachedCycle>()
    var cachedBytes = 0
    /// Journal bytes written since the last checkpoint.
    var journalBytes = 0
    /// When the oldest cycle without a checkpoint was committed, in milliseconds since the epoch.
    var dirtySince: Int64?
    var wantsCheckpoint = false
    var wantsJournalFile = false
    /// The disk was full when segments were written: appends are refused until they could be.
    var blocked: LogError?
    var closing = false
}
