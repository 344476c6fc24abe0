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

    /// Reads partitions that its topics have got since the workers started. Returns when their workers run. A shared log gives
    /// them out by itself.
    package func readNewPartitions() async throws {
        guard shared == nil else { return }
        let count = currentPartitions().count
        let isOutgrown = state.withLock { $0.workers != nil && $0.partitions.count != count }
        if isOutgrown { try await change {} }
    }

    /// Where a reset would lead, partition by partition; changes nothing. Partitions that other hosts read are left out.
    ///
    /// - Parameters:
    ///   - topic: only this topic of the group; nil for all of them.
    ///   - partition: only this partition of each topic; nil for all of them.
    /// - Throws: ``GroupResetRefusal/noSuchPartition(_:)``, ``GroupResetRefusal/onOtherHosts(_:)`` if no partition is read here,
    ///   or an error of the log.
    package func previewReset(
        to target: GroupResetTarget, topic: TopicName? = nil, partition: PartitionID? = nil
    ) async throws -> [GroupOffsetChange] {
        func isChosen(_ place: GroupPartition) -> Bool {
            (topic == nil || place.topic == topic) && (partition == nil || place.partition == partition)
        }
        let (here, elsewhere) = partitions
        let chosen = here.filter { isChosen($0.place) }
        guard !chosen.isEmpty else {
            let others = elsewhere.map(\.place).filter(isChosen)
            if !others.isEmpty { throw GroupResetRefusal.onOtherHosts(others.map(Self.text)) }
            let wanted = [topic.map { "topic \($0)" }, partition.map { "partition \($0)" }].compactMap { $0 }
            throw GroupResetRefusal.noSuchPartition(wanted.joined(separator: ", "))
        }
        var positions: [TopicName: TopicPositions] = [:]
        for name in Set(chosen.map(\.place.topic)) { positions[name] = try await log.positions(of: name) }
        var changes: [GroupOffsetChange] = []
        for entry in chosen {
            let place = entry.place
            guard let offsets = positions[place.topic]?.offsets, offsets.indices.contains(Int(place.partition)) else {
                throw ModuleError.transient("log.unknown_partition", "the log does not know \(Self.text(place)) yet")
            }
            let available = offsets[Int(place.partition)]
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
    /// positions anew. Partitions that a shared log has given to other hosts since the preview are refused, and then nothing
    /// is set.
    ///
    /// - Throws: ``GroupResetRefusal``, or an error of the log or the store; offsets set before it stay set.
    package func reset(_ changes: [GroupOffsetChange]) async throws {
        guard runsHere else { throw GroupResetRefusal.elsewhere }
        guard gate.isPaused else { throw GroupResetRefusal.running }
        let retried = health.current
        let busy = gate.busy.filter { retried[$0] == nil }
        if !busy.isEmpty { throw GroupResetRefusal.batchUnderWay(busy.map(Self.text).sorted()) }
        try await change { [self] in
            let here = Set(state.withLock { state in state.partitions.map(\.place) })
            let others = shared == nil ? [] : changes.map(\.place).filter { !here.contains($0) }
            if !others.isEmpty { throw GroupResetRefusal.onOtherHosts(others.map(Self.text)) }
            for change in changes { try await set(change) }
        }
    }

    private static func text(_ place: GroupPartition) -> String { "\(place.topic)/\(place.partition)" }

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
            return begin(&state) { [self] in
                await endWorkers()
                defer { startWorkers() }
                try await body()
            }
        }
        try await task.value
    }

    /// Runs `body` once no other change is under way, also while the group stops.
    func whenUnchanging(_ body: @escaping @Sendable () async -> Void) async {
        while true {
            let (own, other) = state.withLock { state -> (Task<Void, any Error>?, Task<Void, any Error>?) in
                if let other = state.change { return (nil, other) }
                return (begin(&state, body), nil)
            }
            _ = await (own ?? other)?.result
            if own != nil { return }
        }
    }

    /// To be called with the lock held, while no change is under way.
    private func begin(_ state: inout State, _ body: @escaping @Sendable () async throws -> Void) -> Task<Void, any Error> {
        let task = Task {
            defer { self.state.withLock { $0.change = nil } }
            try await body()
        }
        state.change = task
        return task
    }
}
