package import Martlet
import Synchronization

/// What an operator, or a reload, does to a group that runs.
extension GroupRunner {
    /// Holds the workers before their next batch. Lasts until ``resume()``, a change of the group's block, or a restart.
    package func pause() {
        gate.pause()
    }

    /// Lets the workers go on.
    package func resume() {
        gate.resume()
    }

    /// Reads partitions that its topics have got since the workers started. Returns when their workers run.
    package func readNewPartitions() async throws {
        let count = currentPartitions().count
        let isOutgrown = state.withLock { $0.workers != nil && $0.partitions.count != count }
        if isOutgrown { try await change {} }
    }

    /// Where a reset would lead, partition by partition; changes nothing.
    ///
    /// - Parameters:
    ///   - topic: only this topic of the group; nil for all of them.
    ///   - partition: only this partition of each topic; nil for all of them.
    /// - Throws: ``GroupResetRefusal/noSuchPartition(_:)``, or an error of the log.
    package func previewReset(
        to target: GroupResetTarget, topic: TopicName? = nil, partition: PartitionID? = nil
    ) async throws -> [GroupOffsetChange] {
        let known = state.withLock { $0.partitions }
        let chosen = (known.isEmpty ? currentPartitions() : known).filter { entry in
            (topic == nil || entry.place.topic == topic) && (partition == nil || entry.place.partition == partition)
        }
        guard !chosen.isEmpty else {
            let wanted = [topic.map { "topic \($0)" }, partition.map { "partition \($0)" }].compactMap { $0 }
            throw GroupResetRefusal.noSuchPartition(wanted.joined(separator: ", "))
        }
        var changes: [GroupOffsetChange] = []
        for entry in chosen {
            let place = entry.place
            let available = try log.offsets(topic: place.topic, partition: place.partition)
            let wanted = try await target.offset(in: place, available: available, log: log)
            changes.append(
                GroupOffsetChange(
                    place: place, from: entry.progress.offset, to: min(max(wanted, available.lowerBound), available.upperBound),
                    available: available))
        }
        return changes
    }

    /// Sets the group's offsets: in the log, or in its sink's own store if that keeps them. The group must be paused
    /// and its batches settled; one that waits for its next try is given up. Afterwards the workers read their
    /// positions anew.
    ///
    /// - Throws: ``GroupResetRefusal``, or an error of the log or the store; offsets set before it stay set.
    package func reset(_ changes: [GroupOffsetChange]) async throws {
        guard runsHere else { throw GroupResetRefusal.elsewhere }
        guard gate.isPaused else { throw GroupResetRefusal.running }
        let retried = health.current
        let busy = gate.busy.filter { retried[$0] == nil }
        if !busy.isEmpty { throw GroupResetRefusal.batchUnderWay(busy.map { "\($0.topic)/\($0.partition)" }.sorted()) }
        try await change { [self] in
            for change in changes { try await set(change) }
        }
    }

    private func set(_ change: GroupOffsetChange) async throws {
        let place = change.place
        if let sink = target.transactional { return try await sink.resetOffset(of: place, to: change.to) }
        committer.forget(place.topic, place.partition)
        try await log.commit(group: place.group, topic: place.topic, partition: place.partition, offset: change.to)
    }

    /// Runs `body` while no worker runs. One change at a time, and none once the group stops.
    private func change(_ body: @escaping @Sendable () async throws -> Void) async throws {
        let task = try state.withLock { state throws(GroupResetRefusal) in
            guard state.workers != nil, !state.isStopping else { throw .notOpen }
            guard state.change == nil else { throw .changing }
            let task = Task {
                await endWorkers()
                defer { startWorkers() }
                try await body()
            }
            state.change = task
            return task
        }
        defer { state.withLock { $0.change = nil } }
        try await task.value
    }
}
