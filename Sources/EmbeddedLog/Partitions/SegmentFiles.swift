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
    }

    private let storage: any LogStorage
    private let limit: Int
    private let state = Mutex(State())

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
            state.entries[key] = Entry(file: file, usedAt: state.uses, dirty: forWriting)
            return state.takeSurplus(limit)
        }
        // The surplus is closed when this returns, outside the lock, or when its last reader is done.
        withExtendedLifetime(surplus) {}
        return file
    }

    /// Syncs every file that was written to.
    func syncAll() throws(LogError) {
        let dirty = state.withLock { $0.entries.filter(\.value.dirty).map { ($0.key, $0.value.file) } }.sorted { $0.0 < $1.0 }
        for (key, file) in dirty {
            try file.sync()
            state.withLock { $0.entries[key]?.dirty = false }
        }
    }

    /// Syncs and closes the oldest written files if they alone fill the limit.
    func syncSurplus() throws(LogError) {
        let dirty = state.withLock { state in state.entries.values.lazy.filter(\.dirty).count }
        if dirty >= limit { try syncAll() }
    }

    /// Forgets a removed segment.
    func drop(_ partition: PartitionLog, _ base: Int64) {
        state.withLock { state in state.entries = state.entries.filter { $0.key.partition != partition.key || $0.key.base != base } }
    }

    /// Forgets all segments of a partition, unsynced ones too.
    func drop(_ partition: PartitionLog) {
        state.withLock { state in state.entries = state.entries.filter { $0.key.partition != partition.key } }
    }

    func closeAll() {
        state.withLock { $0.entries.removeAll() }
    }
}

extension SegmentFiles.State {
    fileprivate mutating func use(_ key: SegmentFiles.Key, _ forWriting: Bool) -> (any LogFile)? {
        uses += 1
        entries[key]?.usedAt = uses
        if forWriting { entries[key]?.dirty = true }
        return entries[key]?.file
    }

    /// Removes the clean files used longest ago, an eighth of the limit at a time.
    fileprivate mutating func takeSurplus(_ limit: Int) -> [SegmentFiles.Entry] {
        if entries.count <= limit { return [] }
        let oldest = entries.filter { !$0.value.dirty }.sorted { $0.value.usedAt < $1.value.usedAt }.prefix(max(1, limit / 8))
        return oldest.compactMap { entries.removeValue(forKey: $0.key) }
    }
}
