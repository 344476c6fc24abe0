import Synchronization

// The flusher: committed cycles → segment files, without a sync; then memory is given back.
extension EmbeddedLog {
    /// How long committed records may wait for their segment files, in milliseconds.
    private static let flushDelayMilliseconds: Int64 = 500
    /// Nothing is to be done until the commit thread says so.
    private static let idleMilliseconds: Int64 = 86_400_000
    /// How long a cycle may wait for a checkpoint when there is little to do.
    private static let checkpointDelayMilliseconds: Int64 = 10_000
    /// How long the disk is left to the commit thread between two pieces of what has time.
    private static let pauseMilliseconds: Int64 = 5

    func flushLoop() {
        while waitForFlushWork() { runFlush() }
    }

    /// One turn of the flusher.
    /// Also for logs that run no threads: copies committed records into their segments.
    package func runFlush() {
        do throws(LogError) {
            try flusherTurn.withLock { _ throws(LogError) in try flushTurn() }
        } catch {
            flushFailed(error)
        }
    }

    private func flushTurn() throws(LogError) {
        if flush.withLock({ $0.wantsJournalFile }) {
            if journal.wantsFile { try prepareJournalFile() }
            flush.withLock { $0.wantsJournalFile = false }
        }
        try flushCommitted()
        let now = clock.now()
        let due = flush.withLock { state in
            state.wantsCheckpoint || state.dirtySince.map { now - $0 >= Self.checkpointDelayMilliseconds || now < $0 } ?? false
        }
        if due { try writeCheckpoint(clean: false) }
        flush.withLock { $0.blocked = nil }
        flush.signalAll()
    }

    /// Two files are enough to take turns; more only spare waiting.
    private func prepareJournalFile() throws(LogError) {
        do throws(LogError) {
            try journal.prepare { [self] in pauseUnlessInHurry() }
        } catch {
            if error.code == .storageFull, journal.fileTotal > 1 { return }
            throw error
        }
    }

    /// Leaves the disk to the commit thread for a moment, as long as nobody waits for the flusher.
    private func pauseUnlessInHurry() {
        guard runsThreads else { return }
        _ = flush.wait(milliseconds: Self.pauseMilliseconds) { state -> Void? in
            state.wantsCheckpoint || state.closing || state.unflushedBytes >= Self.flushBytes ? () : nil
        }
    }

    /// A full disk is waited out, with the records safe in the journal; anything else closes the log.
    private func flushFailed(_ error: LogError) {
        guard error.code == .storageFull else { return fail(error) }
        flush.withLock { $0.blocked = error }
        flush.signalAll()
    }

    /// Sleeps until there is enough to write, or it has waited long enough; `false` when the log closes.
    private func waitForFlushWork() -> Bool {
        let idle = flush.withLock { $0.dirty.isEmpty && $0.dirtySince == nil && $0.blocked == nil }
        let limit = idle ? Self.idleMilliseconds : Self.flushDelayMilliseconds
        let stop = flush.wait(milliseconds: limit) { [self] state -> Bool? in
            if state.closing || hasFailed { return true }
            if idle, !state.dirty.isEmpty { return false }
            if state.blocked != nil { return nil }
            return state.unflushedBytes >= Self.flushBytes || state.wantsCheckpoint || state.wantsJournalFile ? false : nil
        }
        return stop != true
    }

    /// Writes every committed slice to its segment. Flusher only.
    func flushCommitted() throws(LogError) {
        let (partitions, cycle) = flush.withLock { state in
            defer { state.dirty = [] }
            return (state.dirty, state.committedCycle)
        }
        var flushed = 0
        for (index, partition) in partitions.enumerated() {
            do throws(LogError) {
                try files.syncSurplus()
                try flushPartition(partition, &flushed)
            } catch {
                partition.state.withLock { $0.awaitsFlush = true }
                flush.withLock { state in
                    state.dirty += partitions[index...]
                    state.unflushedBytes -= flushed
                }
                throw error
            }
        }
        flush.withLock { state in
            state.unflushedBytes -= flushed
            state.flushedCycle = max(state.flushedCycle, cycle)
        }
        evictCached(downTo: configuration.tailCacheBytes)
    }

    /// Writes the slices of one partition. Their bytes are added to `flushed` run by run, since a later one may fail.
    private func flushPartition(_ partition: PartitionLog, _ flushed: inout Int) throws(LogError) {
        let (deleted, slices) = partition.state.withLock { state in
            state.awaitsFlush = false
            let slices = (state.flushedSlices..<state.tail.count).map { state.tail[$0] }
            // Nobody will read a deleted topic: its records only have to leave the memory.
            if state.deleted { state.flushedSlices = state.tail.count }
            return (state.deleted, slices)
        }
        if deleted {
            flushed += slices.reduce(0) { $0 + $1.count }
            return
        }
        var start = 0
        while start < slices.count {
            var end = start + 1
            while end < slices.count, slices[end].segmentBase == slices[start].segmentBase { end += 1 }
            let run = slices[start..<end]
            flushed += try flush(run, of: partition)
            start = end
        }
    }

    /// Writes slices that follow each other in one segment.
    private func flush(_ run: ArraySlice<TailSlice>, of partition: PartitionLog) throws(LogError) -> Int {
        guard let first = run.first else { return 0 }
        let base = first.segmentBase
        let (created, oldIndex) = partition.state.withLock { state in
            let segment = state.segments.last { $0.base == base }
            return (segment?.created ?? true, segment?.index)
        }
        let file = try files.file(partition, base, forWriting: true)
        if !created { newFiles.withLock { _ = $0.insert(partition.directory) } }
        try file.write(run.map(\.bytes), at: Int64(first.position))
        var index = oldIndex
        if index?.coveredBytes != first.position { index = nil }
        for slice in run { slice.addBatches(to: &index, segmentBase: base) }
        let count = run.reduce(0) { $0 + $1.count }
        let timestamp = run.reduce(Int64.min) { max($0, $1.maxTimestamp) }
        partition.state.withLock { state in
            state.flushedSlices += run.count
            guard let place = state.segments.lastIndex(where: { $0.base == base }) else { return }
            state.segments[place].created = true
            state.segments[place].flushedSize = first.position + count
            state.segments[place].index = index
            state.segments[place].maxTimestamp = state.segments[place].maxTimestamp.map { max($0, timestamp) }
        }
        return count
    }

    /// Lets go of the oldest flushed cycles while more than `limit` bytes are kept.
    func evictCached(downTo limit: Int) {
        let evicted = flush.withLock { state in
            var evicted: [FlushState.CachedCycle] = []
            while state.cachedBytes > limit, let oldest = state.cached.first, oldest.cycle <= state.flushedCycle {
                state.cachedBytes -= oldest.bytes
                evicted.append(oldest)
                state.cached.removeFirst(1)
            }
            return evicted
        }
        guard let last = evicted.last?.cycle else { return }
        var done: Set<Int> = []
        for partition in evicted.lazy.flatMap(\.partitions) where done.insert(partition.key).inserted {
            partition.state.withLock { state in
                var count = 0
                while count < state.flushedSlices, state.tail[count].cycle <= last { count += 1 }
                state.tail.removeFirst(count)
                state.flushedSlices -= count
            }
        }
    }
}

extension TailSlice {
    /// Adds the slice's batches to an index, if there is one.
    fileprivate func addBatches(to index: inout SegmentIndex?, segmentBase: Int64) {
        guard index != nil, let memory = bytes.baseAddress else { return }
        var place = 0
        while place < count, let header = BatchHeader(memory + place, available: count - place) {
            index?.add(relativeOffset: header.baseOffset - segmentBase, bytes: header.totalBytes, maxTimestamp: header.maxTimestamp)
            place += header.totalBytes
        }
    }
}
