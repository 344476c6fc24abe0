import Synchronization

/// Open segment files, a bounded number, over all partitions: idle ones hold none.
///
/// A file with writes that are not synced stays open until it is synced, since an error of the
/// write-back is only certain to be reported to a descriptor that was open at the time.
final class SegmentFiles: Sendable {
    struct Key: Hashable, Comparable {
        let partition: Int
        let base: Int64
        let version: Int

        static func < (left: Key, right: Key) -> Bool {
            (left.partition, left.base, left.version) < (right.partition, right.base, right.version)
        }
    }

    fileprivate struct Entry {
        let file: any LogFile
        var usedAt: UInt64
        var dirty = false
    }

    fileprivate struct State {
        var entries: [Key: Entry] = [:]
        var uses: UInt64 = 0
        /// `uses` when idle files were last looked for.
        var usesAtLastLook: UInt64 = 0
        var dirtyCount = 0
    }

    private let storage: any LogStorage
    private let limit: Int
    private let state = Mutex(State())
    private let threads = Mutex(SyncThreads())

    init(storage: any LogStorage, limit: Int) {
        self.storage = storage
        self.limit = max(limit, 4)
    }

    var openCount: Int { state.withLock { $0.entries.count } }

    /// The open file of a segment. For writing, it counts as written until `syncAll`.
    func file(
        _ partition: PartitionLog, _ base: Int64, version: Int = 0, forWriting: Bool = false
    ) throws(LogError) -> any LogFile {
        let key = Key(partition: partition.key, base: base, version: version)
        if let file = state.withLock({ $0.use(key, forWriting) }) { return file }
        let file = try storage.open(partition.path(segment: base), create: forWriting)
        let surplus: [Entry] = state.withLock { state in
            state.uses += 1
            state.entries[key] = Entry(file: file, usedAt: state.uses)
            if forWriting { state.setDirty(true, key) }
            return state.takeSurplus(limit)
        }
        // The surplus is closed when this returns, outside the lock, or when its last reader is done.
        withExtendedLifetime(surplus) {}
        return file
    }

    /// Syncs every file that was written to; with `threads`, several at a time.
    ///
    /// The file system commits one transaction for all of them, if it is told of all before it is asked for the first.
    /// - Throws: the first error. What was synced all the same counts as synced, all else as not.
    func syncAll() throws(LogError) {
        let dirty = state.withLock { $0.entries.filter(\.value.dirty).map { ($0.key, $0.value.file) } }.sorted { $0.0 < $1.0 }
        for (_, file) in dirty { file.startSync() }
        let errors = threads.withLock { $0 }.sync(dirty.map(\.1))
        state.withLock { state in
            for (place, error) in errors.enumerated() where error == nil { state.setDirty(false, dirty[place].0) }
        }
        if let error = errors.lazy.compactMap({ $0 }).first { throw error }
    }

    /// Syncs all written files if they alone fill the limit.
    func syncSurplus() throws(LogError) {
        if state.withLock({ $0.dirtyCount >= limit }) { try syncAll() }
    }

    /// Closes files that nobody used since the call before this one.
    func closeIdle() {
        let idle = state.withLock { state in
            let idle = state.entries.filter { !$0.value.dirty && $0.value.usedAt <= state.usesAtLastLook }
            for key in idle.keys { state.entries[key] = nil }
            state.usesAtLastLook = state.uses
            return idle
        }
        withExtendedLifetime(idle) {}
    }

    /// The threads that sync; without, the caller's does.
    func use(_ threads: SyncThreads) { self.threads.withLock { $0 = threads } }

    /// Forgets a removed segment.
    func drop(_ partition: PartitionLog, _ base: Int64) {
        state.withLock { state in state.keep { $0.partition != partition.key || $0.base != base } }
    }

    /// Forgets all segments of a partition, unsynced ones too.
    func drop(_ partition: PartitionLog) {
        state.withLock { state in state.keep { $0.partition != partition.key } }
    }

    func closeAll() {
        state.withLock { state in state.keep { _ in false } }
    }
}

extension SegmentFiles.State {
    fileprivate mutating func use(_ key: SegmentFiles.Key, _ forWriting: Bool) -> (any LogFile)? {
        uses += 1
        entries[key]?.usedAt = uses
        if forWriting { setDirty(true, key) }
        return entries[key]?.file
    }

    fileprivate mutating func setDirty(_ dirty: Bool, _ key: SegmentFiles.Key) {
        guard let entry = entries[key], entry.dirty != dirty else { return }
        entries[key]?.dirty = dirty
        dirtyCount += dirty ? 1 : -1
    }

    fileprivate mutating func keep(where wanted: (SegmentFiles.Key) -> Bool) {
        entries = entries.filter { wanted($0.key) }
        dirtyCount = entries.values.lazy.filter(\.dirty).count
    }

    /// Removes the clean files used longest ago, an eighth of the limit at a time.
    fileprivate mutating func takeSurplus(_ limit: Int) -> [SegmentFiles.Entry] {
        if entries.count <= limit { return [] }
        let oldest = entries.filter { !$0.value.dirty }.sorted { $0.value.usedAt < $1.value.usedAt }.prefix(max(1, limit / 8))
        return oldest.compactMap { entries.removeValue(forKey: $0.key) }
    }
}
