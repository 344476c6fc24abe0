import Synchronization

// Retention: whole segments, by age and size. Runs on the flusher.
extension EmbeddedLog {
    func maintenanceIsDue() -> Bool {
        let now = clock.now()
        return lastMaintenance.withLock { last in
            // A clock that stepped back counts as due, rather than stopping retention for a while.
            guard now - last >= configuration.maintenanceMilliseconds || now < last else { return false }
            last = now
            return true
        }
    }

    /// Applies retention now. For logs that run no threads.
    package func maintain() {
        precondition(!runsThreads, "the flusher does it")
        runMaintenance()
    }

    func runMaintenance() {
        if hasFailed { return }
        do throws(LogError) {
            try flusherTurn.withLock { _ throws(LogError) in try applyRetention() }
        } catch {
            flushFailed(error)
        }
    }

    /// Takes expired segments out of sight, records the new start durably, then removes the files: a
    /// crash in between leaves files that recovery knows to remove.
    func applyRetention() throws(LogError) {
        let now = clock.now()
        var removed: [(partition: PartitionLog, base: Int64)] = []
        for topic in registry.withLock({ Array($0.values) }) {
            let settings = topic.configuration
            guard settings.cleanup == .delete, settings.retentionMilliseconds != nil || settings.retentionBytes != nil else { continue }
            for partition in topic.partitions {
                try learnTimestamps(of: partition, settings)
                rollExpired(partition, settings, now: now)
                let bases = partition.state.withLock { $0.removeExpired(settings, now: now) }
                removed += bases.map { (partition, $0) }
            }
        }
        if removed.isEmpty { return }
        try writeCheckpoint(clean: false)
        for (partition, base) in removed {
            files.drop(partition, base)
            try storage.remove(partition.indexPath(segment: base))
            try storage.remove(partition.path(segment: base))
        }
    }

    /// Retention by age needs the largest timestamp of the oldest segment.
    private func learnTimestamps(of partition: PartitionLog, _ settings: TopicConfiguration) throws(LogError) {
        guard settings.retentionMilliseconds != nil else { return }
        let unknown = partition.state.withLock { state in
            state.segments.first.flatMap { $0.maxTimestamp == nil ? ($0.base, $0.flushedSize) : nil }
        }
        guard let (base, size) = unknown else { return }
        let reader = SegmentReader(log: self, partition: partition, base: base, flushedSize: size)
        let timestamp = try reader.index(files.file(partition, base)).maxTimestamp
        partition.state.withLock { state in
            if state.segments.first?.base == base { state.segments[0].maxTimestamp = timestamp }
        }
    }

    /// A last segment whose records all expired is ended, so that it can be removed too.
    private func rollExpired(_ partition: PartitionLog, _ settings: TopicConfiguration, now: Int64) {
        guard let age = settings.retentionMilliseconds else { return }
        let expired = partition.state.withLock { state in
            state.segments.last.map { $0.size > 0 && ($0.maxTimestamp ?? .max) < now - age } ?? false
        }
        guard expired else { return }
        var item = QueuedAppend()
        item.control = { [self] in roll(partition, expiredBefore: now - age) }
        // A log that closes needs no roll; the next start sees to it.
        try? enqueue(item)
    }

    /// On the commit thread, between two cycles.
    private func roll(_ partition: PartitionLog, expiredBefore limit: Int64) {
        partition.state.withLock { state in
            guard let last = state.segments.last, last.size > 0, (last.maxTimestamp ?? .max) < limit, !state.deleted else { return }
            guard last.flushedSize == last.size else { return }
            let now = clock.now()
            state.segments.append(Segment(newAt: state.endOffset, now: now))
            partition.commit.segmentBase = state.endOffset
            partition.commit.segmentSize = 0
            partition.commit.segmentCreatedAt = now
        }
    }
}

extension PartitionState {
    /// Takes away the oldest complete and durable segments that retention no longer keeps.
    fileprivate mutating func removeExpired(_ settings: TopicConfiguration, now: Int64) -> [Int64] {
        var total = segments.reduce(0) { $0 + Int64($1.size) }
        var removed: [Int64] = []
        while segments.count > 1, segments[0].base < checkpointedBase, segments[1].base <= flushedOffset {
            let oldest = segments[0]
            let tooMuch = settings.retentionBytes.map { total - Int64(oldest.size) >= $0 } ?? false
            let tooOld = settings.retentionMilliseconds.flatMap { age in oldest.maxTimestamp.map { $0 < now - age } } ?? false
            guard tooMuch || tooOld else { break }
            total -= Int64(oldest.size)
            removed.append(oldest.base)
            segments.removeFirst()
            startOffset = segments[0].base
        }
        return removed
    }
}
