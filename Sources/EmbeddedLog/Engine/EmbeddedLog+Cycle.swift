import Synchronization

// One cycle: assembling the journal entry, making it durable, making it visible.
extension EmbeddedLog {
    func commitPlanned() throws(LogError) {
        let size = entrySize()
        let buffer = CycleBuffer(capacity: size)
        let slices = assemble(into: buffer, size: size)
        try journal.write(buffer.bytes(0, size))
        if configuration.acknowledge == .fsync { try journal.sync() }
        committer.cycle += 1
        publish(slices, buffer, size: size)
    }

    /// Sees to room for the cycle's appends before anything is decided, waiting for a checkpoint if need be.
    /// - Throws: `storageFull` if the disk is too full for a checkpoint.
    func ensureJournalRoom() throws(LogError) {
        let bytes = committer.items.reduce(2 * JournalFormat.block) { $0 + $1.bytes }
        if journal.hasRoom(bytes) { return }
        if !journal.hasFreeFile {
            flush.withLock { state in
                state.wantsCheckpoint = true
                state.wantsJournalFile = true
            }
            try waitForJournalFile()
        }
        try journal.begin(firstCycle: committer.cycle + 1)
    }

    private func waitForJournalFile() throws(LogError) {
        if !runsThreads { runFlush() } else { flush.signalAll() }
        let blocked = flush.wait { [self] state -> LogError?? in
            if journal.hasFreeFile || hasFailed { return .some(nil) }
            return state.blocked.map { .some($0) }
        }
        if let blocked { throw blocked }
        if !journal.hasFreeFile { throw LogError(.closed, "the log failed") }
    }

    private func entrySize() -> Int {
        committer.touched.reduce(JournalFormat.entryHeaderBytes) { $0 + JournalFormat.partBytes($1.commit.planBytes) }
    }

    /// Fills the buffer with the entry, giving each batch its offset.
    private func assemble(into buffer: CycleBuffer, size: Int) -> [TailSlice] {
        let memory = buffer.memory
        let cycle = committer.cycle + 1
        let now = clock.now()
        var place = JournalFormat.entryHeaderBytes
        var slices: [TailSlice] = []
        slices.reserveCapacity(committer.touched.count)
        for partition in committer.touched {
            partition.placeInSegment(now: now, defaultSegmentBytes: configuration.segmentBytes)
            let start = place + JournalFormat.partHeaderBytes
            let baseOffset = partition.commit.nextOffset
            var end = start
            var maxTimestamp = Int64.min
            var index = partition.commit.firstPlan
            while index >= 0 {
                let plan = committer.plans[index]
                let offset = partition.commit.nextOffset
                (memory + end).copyMemory(from: plan.batch.memory, byteCount: plan.batch.byteCount)
                (memory + end).storeBigEndian(offset, at: 0)
                end += plan.batch.byteCount
                maxTimestamp = max(maxTimestamp, plan.batch.maxTimestamp)
                partition.commit.nextOffset += Int64(plan.batch.recordCount)
                if plan.item >= 0 { committer.receipts[plan.item][plan.part].baseOffset = offset }
                index = plan.next
            }
            let slice = TailSlice(
                cycle: cycle, buffer: buffer, start: start, count: end - start, baseOffset: baseOffset,
                nextOffset: partition.commit.nextOffset, segmentBase: partition.commit.segmentBase,
                position: partition.commit.segmentSize, maxTimestamp: maxTimestamp)
            Self.writePartHeader(slice, of: partition, at: memory + place)
            place += JournalFormat.partBytes(slice.count)
            (memory + end).initializeMemory(as: UInt8.self, repeating: 0, count: place - end)
            partition.commit.segmentSize += slice.count
            partition.commit.firstPlan = -1
            slices.append(slice)
        }
        let durable = configuration.acknowledge == .fsync ? committer.cycle : flush.withLock { $0.checkpointedCycle }
        memory.storeLittleEndian(JournalFormat.entryMagic, at: 0)
        memory.storeLittleEndian(journal.generation, at: 8)
        memory.storeLittleEndian(cycle, at: 16)
        memory.storeLittleEndian(durable, at: 24)
        memory.storeLittleEndian(UInt32(size), at: 32)
        memory.storeLittleEndian(UInt32(slices.count), at: 36)
        memory.storeLittleEndian(logID.high, at: 40)
        memory.storeLittleEndian(logID.low, at: 48)
        memory.storeLittleEndian(UInt64(0), at: 56)
        memory.storeLittleEndian(CRC32C.of(buffer.bytes(8, size - 8)), at: 4)
        return slices
    }

    private static func writePartHeader(_ slice: TailSlice, of partition: PartitionLog, at part: UnsafeMutableRawPointer) {
        part.storeLittleEndian(partition.topic.incarnation.high, at: 0)
        part.storeLittleEndian(partition.topic.incarnation.low, at: 8)
        part.storeLittleEndian(partition.number, at: 16)
        part.storeLittleEndian(UInt32(slice.count), at: 20)
        part.storeLittleEndian(slice.baseOffset, at: 24)
        part.storeLittleEndian(slice.nextOffset, at: 32)
        part.storeLittleEndian(slice.segmentBase, at: 40)
        part.storeLittleEndian(UInt32(slice.position), at: 48)
        part.storeLittleEndian(UInt32(0), at: 52)
    }

    /// Makes the cycle visible and wakes those who waited for it.
    private func publish(_ slices: [TailSlice], _ buffer: CycleBuffer, size: Int) {
        var newlyDirty: [PartitionLog] = []
        var wakes: [@Sendable () -> Void] = []
        var bytes = 0
        for (partition, slice) in zip(committer.touched, slices) {
            bytes += slice.count
            let createdAt = partition.commit.segmentCreatedAt
            partition.state.withLock { state in
                if state.publish(slice, createdAt: createdAt) { newlyDirty.append(partition) }
                if !state.waiters.isEmpty { wakes += state.takeDueWaiters() }
            }
        }
        for (index, item) in committer.items.enumerated() where committer.errors[index] == nil {
            if let update = item.offsets { apply(update) }
        }
        let now = clock.now()
        let wantsSecondFile = journal.wantsSecondFile
        let wakesFlusher = flush.withLock { state in
            let wasIdle = state.dirty.isEmpty && state.dirtySince == nil
            let wasLow = state.unflushedBytes < Self.flushBytes
            state.dirty += newlyDirty
            state.unflushedBytes += bytes
            state.committedCycle = committer.cycle
            state.committedGeneration = journal.generation
            state.committedPosition = journal.position
            state.cached.append(.init(cycle: committer.cycle, bytes: size, partitions: committer.touched))
            state.cachedBytes += size
            state.journalBytes += JournalFormat.padded(size)
            if state.dirtySince == nil { state.dirtySince = now }
            let startsFile = wantsSecondFile && !state.wantsJournalFile
            if startsFile { state.wantsJournalFile = true }
            if state.journalBytes >= configuration.journalBytes / 3, !state.wantsCheckpoint {
                state.wantsCheckpoint = true
                return true
            }
            if startsFile { return true }
            return wasIdle || (wasLow && state.unflushedBytes >= Self.flushBytes)
        }
        if wakesFlusher { flush.signalAll() }
        for wake in wakes { wake() }
    }

    /// Committed bytes at which the flusher starts writing segments without waiting for its timer.
    static let flushBytes = 4 << 20
}

extension PartitionLog {
    /// Begins a segment if the cycle's records do not fit into the current one, or it is old.
    fileprivate func placeInSegment(now: Int64, defaultSegmentBytes: Int) {
        let settings = topic.configuration
        let limit = settings.segmentBytes ?? defaultSegmentBytes
        // A segment that spans an eighth of the retention keeps deletion by age close to its promise.
        let old = settings.retentionMilliseconds.map { now - commit.segmentCreatedAt > max($0 / 8, 1000) } ?? false
        if commit.segmentSize > 0, old || commit.segmentSize + commit.planBytes > limit {
            commit.segmentBase = commit.nextOffset
            commit.segmentSize = 0
        }
        if commit.segmentSize == 0 { commit.segmentCreatedAt = now }
    }
}

extension PartitionState {
    /// Adds a committed slice; `true` if the flusher has to be told.
    fileprivate mutating func publish(_ slice: TailSlice, createdAt: Int64) -> Bool {
        if segments.last?.base != slice.segmentBase { segments.append(Segment(newAt: slice.segmentBase, now: createdAt)) }
        segments[segments.count - 1].size = slice.position + slice.count
        tail.append(slice)
        endOffset = slice.nextOffset
        defer { awaitsFlush = true }
        return !awaitsFlush
    }

    fileprivate mutating func takeDueWaiters() -> [@Sendable () -> Void] {
        let due = waiters.filter { $0.offset < endOffset }
        if !due.isEmpty { waiters.removeAll { $0.offset < endOffset } }
        return due.map(\.wake)
    }
}
