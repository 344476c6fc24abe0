import Synchronization

// Retention of whole segments, by age and size; and when to compact. On a thread of its own.
extension EmbeddedLog {
    func maintenanceLoop() {
        while maintenanceStop.wait(milliseconds: configuration.maintenanceMilliseconds, until: { $0 ? true : nil }) == nil {
            runMaintenance()
        }
    }

    /// Applies retention and compacts now. For logs that run no threads.
    package func maintain() {
        precondition(!runsThreads, "a thread of its own does it")
        runMaintenance()
    }

    /// What retention and compaction could not do: damaged segments, a full disk. At most a hundred, the latest last.
    package func maintenanceTroubles() -> [LogError] { troubles.withLock { $0 } }

    private func runMaintenance() {
        files.closeIdle()
        if hasFailed { return }
        let topics = allTopics
        applyRetention(topics)
        for topic in topics where topic.configuration.cleanup == .compact {
            for partition in topic.partitions where !hasFailed {
                attempt { () throws(LogError) in try Compaction(self, partition).run() }
            }
        }
    }

    /// Trouble with old segments does not stop the log from taking records.
    private func attempt(_ body: () throws(LogError) -> Void) {
        do throws(LogError) {
            try body()
        } catch {
            troubles.withLock { troubles in
                troubles.removeAll { $0 == error }
                troubles.append(error)
                if troubles.count > 100 { troubles.removeFirst() }
            }
        }
    }

    /// Takes expired segments out of sight, records the new start durably, then removes the files: a
    /// crash in between leaves files that recovery knows to remove.
    private func applyRetention(_ topics: [TopicLog]) {
        let now = clock.now()
        var removed: [(partition: PartitionLog, base: Int64)] = []
        for topic in topics {
            let settings = topic.configuration
            guard settings.cleanup == .delete, settings.retentionMilliseconds != nil || settings.retentionBytes != nil else { continue }
            for partition in topic.partitions {
                attempt { () throws(LogError) in try learnTimestamps(of: partition, settings) }
                rollExpired(partition, settings, now: now)
                let bases = partition.state.withLock { $0.removeExpired(settings, now: now) }
                removed += bases.map { (partition, $0) }
            }
        }
        if removed.isEmpty { return }
        do throws(LogError) {
            try flusherTurn.withLock { _ throws(LogError) in try writeCheckpoint(clean: false) }
        } catch {
            // The files stay; a later start removes them, once a checkpoint says that they are not needed.
            return error.code == .storageFull ? attempt { () throws(LogError) in throw error } : fail(error)
        }
        for (partition, base) in removed {
            files.drop(partition, base)
            attempt { () throws(LogError) in
                try storage.remove(partition.indexPath(segment: base))
                try storage.remove(partition.path(segment: base))
            }
        }
    }

    /// Retention by age needs the largest timestamp of the oldest segment.
    private func learnTimestamps(of partition: PartitionLog, _ settings: TopicConfiguration) throws(LogError) {
        guard settings.retentionMilliseconds != nil else { return }
        let unknown = partition.state.withLock { state in state.segments.first.flatMap { $0.maxTimestamp == nil ? $0 : nil } }
        guard let unknown else { return }
        let timestamp = try SegmentReader(self, partition, unknown).maxTimestamp()
        partition.state.withLock { state in
            if state.segments.first?.base == unknown.base { state.segments[0].maxTimestamp = timestamp }
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
