import Synchronization

/// A durable log of topics in one folder, for one process.
///
/// Life cycle: `UnrecoveredLog.recover()` → use from any thread → `close()`. Threads of its own work for
/// it: the commit thread gathers everything queued into one commit cycle (one journal write, one
/// sync), makes it visible and calls the completions; the flusher copies committed cycles into
/// the segments, syncs those (with three threads that help), and trims the journal; a last one applies retention and compacts.
/// No call blocks longer than a short lock, except reads from disk, topic changes and `close`.
///
/// Invariants:
/// 1. A record is visible to readers, and acknowledged, only once its cycle is durable (`acknowledge`).
/// 2. Every visible record is in memory or in its segment file, and durable in the journal or there.
/// 3. Cycles are numbered without gaps; one is in flight at a time.
/// 4. The journal is freed only up to a checkpoint that was synced after the segments and folders.
/// 5. After an error of a write or sync of the journal, nothing is acknowledged until the log is reopened.
package final class EmbeddedLog: Sendable {
    let configuration: LogConfiguration
    let storage: any LogStorage
    let clock: any LogClock
    let paths: LogPaths
    let logID: UUIDBytes
    let journal: Journal
    let files: SegmentFiles
    let registry = Mutex<[String: TopicLog]>([:])
    /// Serialises changes of topics, which write to disk.
    let topicChanges = Monitor<Void>(())
    /// Held while the flusher works: it then relies on the topics' folders.
    let flusherTurn = Monitor<Void>(())
    /// Folders of deleted topics, to be removed once no journal entry refers to them.
    let deletedTopics = Mutex<[UUIDBytes]>([])
    let queue = Monitor(AppendQueue())
    let flush: Monitor<FlushState>
    let groupOffsets = Mutex<[String: [TopicPartition: Int64]]>([:])
    let committer: Committer
    /// Folders with files whose names are not durable yet.
    let newFiles = Mutex<Set<String>>([])
    /// What retention and compaction could not do, the latest last.
    let troubles = Mutex<[LogError]>([])
    let maintenanceStop = Monitor(false)
    let nextWaiterID = Atomic<UInt64>(0)
    let runsThreads: Bool
    private let threads = Mutex<[LogThread]>([])
    private let syncThreads = Mutex<SyncThreads?>(nil)
    private let lock: Mutex<(any LogLock)?>

    init(_ recovered: RecoveredLog, runsThreads: Bool) {
        configuration = recovered.configuration
        storage = recovered.storage
        clock = recovered.clock
        paths = recovered.paths
        logID = recovered.logID
        journal = recovered.journal
        files = recovered.files
        committer = Committer(cycle: recovered.cycle)
        lock = Mutex(recovered.lock)
        flush = Monitor(
            FlushState(
                committedCycle: recovered.cycle, committedGeneration: recovered.journal.generation,
                committedPosition: recovered.journal.position, flushedCycle: recovered.cycle, checkpointedCycle: recovered.cycle))
        self.runsThreads = runsThreads
        registry.withLock { $0 = recovered.topics }
    }

    /// Starts the commit thread and the flusher.
    func start() throws(LogError) {
        guard runsThreads else { return }
        let commit = try LogThread(name: "log-commit") { [self] in commitLoop() }
        threads.withLock { $0.append(commit) }
        let flusher = try LogThread(name: "log-flush") { [self] in flushLoop() }
        threads.withLock { $0.append(flusher) }
        let syncing = try SyncThreads(started: ())
        files.use(syncing)
        syncThreads.withLock { $0 = syncing }
        let maintainer = try LogThread(name: "log-maintain") { [self] in maintenanceLoop() }
        threads.withLock { $0.append(maintainer) }
    }

    /// Why the log takes no appends any more, if so.
    package var refusal: LogError? { queue.withLock { $0.refusal } }

    /// Stops cleanly: commits what is queued, syncs the segments, and marks the folder so that the
    /// next start has nothing to replay. Appends during and after it are refused with `closed`.
    /// A log that failed is left as it is, to be recovered. Blocks; calling it again does nothing.
    package func close() {
        let first = queue.withLock { queue in
            if queue.refusal == nil { queue.refusal = LogError(.closed, "the log is closed") }
            defer { queue.closing = true }
            return !queue.closing
        }
        guard first else { return }
        queue.signalAll()
        maintenanceStop.withLock { $0 = true }
        maintenanceStop.signalAll()
        let running = threads.withLock { $0 }
        if !runsThreads { while runCommitCycle() {} }
        running.first?.join()
        flush.withLock { $0.closing = true }
        flush.signalAll()
        running.dropFirst().forEach { $0.join() }
        threads.withLock { $0.removeAll() }
        closeCleanly()
        files.use(SyncThreads())
        syncThreads.withLock { threads in
            defer { threads = nil }
            return threads
        }?.stop()
        files.closeAll()
        lock.withLock { $0 = nil }
    }

    /// Closes the log to appends after a failure; what is visible can still be read.
    func fail(_ cause: LogError) {
        queue.withLock { queue in
            if queue.refusal == nil || queue.refusal?.code == .closed {
                queue.refusal = LogError(
                    .failed, "the log stopped taking records after this error, and has to be reopened: \(cause.description)", path: cause.path,
                    errno: cause.errno)
            }
        }
        queue.signalAll()
        flush.signalAll()
    }

    var hasFailed: Bool { queue.withLock { $0.refusal?.code == .failed } }
}

/// Where things lie. Names with `~` cannot be topics.
struct LogPaths: Sendable {
    let root: String

    init(directory: String) { root = directory + "/log" }

    var lock: String { root + "/~lock" }
    var checkpoint: String { root + "/~checkpoint" }
    var newCheckpoint: String { root + "/~checkpoint.new" }
    /// Lies there while a repair writes.
    var repairing: String { root + "/~repairing" }
    var journal: String { root + "/~journal" }
    func topic(_ name: String) -> String { root + "/" + name }
    func creating(_ name: String) -> String { root + "/~creating-" + name }
    func deleted(_ incarnation: UUIDBytes) -> String { root + "/~deleted-" + incarnation.text }
}
