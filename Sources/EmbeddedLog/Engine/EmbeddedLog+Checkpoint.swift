import Synchronization

// Checkpoints: segments and folders are synced, then the journal up to there is free for reuse.
extension EmbeddedLog {
    /// Syncs everything flushed and records it. Flusher only, or with no threads running.
    func writeCheckpoint(clean: Bool) throws(LogError) {
        let target = flush.withLock { state in
            state.wantsCheckpoint = false
            state.journalBytes = 0
            state.dirtySince = nil
            return (cycle: state.committedCycle, generation: state.committedGeneration, position: state.committedPosition)
        }
        let deleted = deletedTopics.withLock { $0 }
        do throws(LogError) {
            try flushCommitted()
            try files.syncAll()
            try syncNewFiles()
            try saveIndexes(ofOpenSegments: clean)
            let partitions = allTopics.flatMap(\.partitions)
            let rows = partitions.map(\.checkpointRow)
            let checkpoint = Checkpoint(
                logID: logID, cycle: target.cycle, generation: target.generation, position: target.position, clean: clean, rows: rows)
            try checkpoint.write(storage, paths)
            for (partition, row) in zip(partitions, rows) { partition.state.withLock { $0.checkpointedBase = row.segmentBase } }
        } catch {
            flush.withLock { state in
                state.wantsCheckpoint = true
                state.dirtySince = state.dirtySince ?? clock.now()
            }
            throw error
        }
        flush.withLock { $0.checkpointedCycle = target.cycle }
        journal.release(before: target.generation)
        for incarnation in deleted {
            try storage.remove(paths.deleted(incarnation))
            deletedTopics.withLock { $0.removeAll { $0 == incarnation } }
        }
    }

    /// Flushes, syncs and frees the journal now. For logs that run no threads.
    package func checkpoint() {
        precondition(!runsThreads, "the flusher does it")
        flush.withLock { $0.wantsCheckpoint = true }
        runFlush()
    }

    /// Leaves a folder that the next start need not look through. Nothing else runs any more.
    func closeCleanly() {
        if hasFailed { return }
        do throws(LogError) {
            try writeCheckpoint(clean: true)
        } catch {
            fail(error)
        }
    }

    private func syncNewFiles() throws(LogError) {
        let directories = newFiles.withLock { $0.sorted() }
        for directory in directories {
            try storage.syncDirectory(directory)
            newFiles.withLock { _ = $0.remove(directory) }
        }
    }

    /// Writes the indexes of complete segments, and of all when the log closes. They can be rebuilt, so
    /// they need no sync.
    private func saveIndexes(ofOpenSegments all: Bool) throws(LogError) {
        for partition in allTopics.flatMap(\.partitions) {
            let unsaved: [Segment] = partition.state.withLock { state in
                if state.deleted || (!all && state.segments.count < 2) { return [] }
                return (all ? state.segments[...] : state.segments.dropLast()).filter { !$0.indexSaved && $0.index != nil && $0.created }
            }
            for segment in unsaved {
                guard let index = segment.index, index.coveredBytes == segment.flushedSize else { continue }
                let file = try storage.open(partition.indexPath(segment: segment.base), create: true)
                let bytes = index.encoded()
                try file.truncate(to: 0)
                try file.write(bytes: bytes, at: 0)
                partition.state.withLock { state in
                    guard let place = state.segments.lastIndex(where: { $0.base == segment.base }), place < state.segments.count - 1 else { return }
                    state.segments[place].indexSaved = true
                    state.segments[place].index = nil
                }
            }
        }
    }
}

extension Checkpoint {
    /// Replaces the checkpoint file, durably.
    func write(_ storage: any LogStorage, _ paths: LogPaths) throws(LogError) {
        let bytes = encoded()
        try storage.remove(paths.newCheckpoint)
        let file = try storage.open(paths.newCheckpoint, create: true)
        try file.write(bytes: bytes, at: 0)
        try file.sync()
        try storage.rename(paths.newCheckpoint, to: paths.checkpoint)
        try storage.syncDirectory(paths.root)
    }
}

extension PartitionLog {
    /// The partition as far as its segment files hold it.
    var checkpointRow: Checkpoint.Row {
        state.withLock { state in
            var base = state.segments.last?.base ?? 0
            var size = state.segments.last?.size ?? 0
            if state.flushedSlices < state.tail.count {
                base = state.tail[state.flushedSlices].segmentBase
                size = state.tail[state.flushedSlices].position
            }
            let segment = state.segments.last { $0.base == base }
            return Checkpoint.Row(
                incarnation: topic.incarnation, partition: number, startOffset: state.startOffset, nextOffset: state.flushedOffset,
                segmentBase: base, segmentSize: Int64(size), segmentCreatedAt: segment?.createdAt ?? 0,
                maxTimestamp: segment?.maxTimestamp ?? .min)
        }
    }
}
