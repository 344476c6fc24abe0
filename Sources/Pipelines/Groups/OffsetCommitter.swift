package import Martlet
import Synchronization

/// Commits a group's offsets to the log, a while after they moved and all partitions together, so that a busy group
/// does not cost a sync per batch. What was settled after the last commit comes again after a crash: at least once.
package final class OffsetCommitter: Sendable {
    private struct Key: Hashable {
        let topic: TopicName
        let partition: PartitionID
    }

    private struct State {
        var dirty: [Key: Offset] = [:]
        var isScheduled = false
        var lastFlush: Task<Void, Never>?
        var backoff = Backoff()
        var failures = 0
    }

    private let log: any EventLog
    private let group: GroupName
    private let interval: Duration
    private let logger: Logger
    private let state = Mutex(State())

    package init(log: any EventLog, group: GroupName, interval: Duration, logger: Logger) {
        self.log = log
        self.group = group
        self.interval = interval
        self.logger = logger
    }

    /// The group has settled everything before `offset`.
    package func moved(_ topic: TopicName, _ partition: PartitionID, to offset: Offset) {
        let mustSchedule = state.withLock { state in
            state.dirty[Key(topic: topic, partition: partition)] = offset
            defer { state.isScheduled = true }
            return !state.isScheduled
        }
        if mustSchedule { flush(after: interval) }
    }

    /// Nothing keeps the committer until then: once its group is gone, so is what was not committed.
    private func flush(after wait: Duration) {
        Task { [weak self] in
            try? await Task.sleep(for: wait)
            await self?.flush()
        }
    }

    /// Commits what has moved since the last commit. Flushes run one after the other: once this returns, no older
    /// offset is on its way to the log.
    package func flush() async {
        await flush(isLast: false)
    }

    /// Commits what has moved, and forgets what could not be committed: the partitions are another reader's from now on, and
    /// an offset that came late would take it back.
    func flushAndForget() async {
        await flush(isLast: true)
    }

    private func flush(isLast: Bool) async {
        let flush = state.withLock { state in
            let previous = state.lastFlush
            let flush = Task {
                await previous?.value
                await commitMoved()
                if isLast { self.state.withLock { $0.dirty.removeAll() } }
            }
            state.lastFlush = flush
            return flush
        }
        await flush.value
    }

    /// Forgets a move that is not committed yet, because a reset takes its place.
    func forget(_ topic: TopicName, _ partition: PartitionID) {
        state.withLock { $0.dirty[Key(topic: topic, partition: partition)] = nil }
    }

    private func commitMoved() async {
        let dirty = state.withLock { state in
            defer {
                state.dirty.removeAll(keepingCapacity: true)
                state.isScheduled = false
            }
            return state.dirty
        }
        var failed: [(key: Key, offset: Offset)] = []
        var lastError: (any Error)?
        // At once: a log that does not answer is waited for once, and not once a partition.
        await withTaskGroup(of: (Key, Offset, (any Error)?).self) { commits in
            for (key, offset) in dirty { commits.addTask { (key, offset, await self.commit(key, offset)) } }
            for await (key, offset, error) in commits {
                guard let error else { continue }
                failed.append((key, offset))
                lastError = error
            }
        }
        guard let lastError else { return succeeded() }
        retry(failed, lastError)
    }

    private func commit(_ key: Key, _ offset: Offset) async -> (any Error)? {
        do {
            try await log.commit(group: group, topic: key.topic, partition: key.partition, offset: offset)
            return nil
        } catch {
            return error
        }
    }

    private func succeeded() {
        state.withLock { state in
            state.backoff.reset()
            state.failures = 0
        }
    }

    /// A failed commit stays due, unless the partition has moved on meanwhile, and is tried again by itself: the group
    /// may have nothing more to read.
    private func retry(_ failed: [(key: Key, offset: Offset)], _ error: any Error) {
        let (wait, failures, mustSchedule) = state.withLock { state in
            for (key, offset) in failed where state.dirty[key] == nil { state.dirty[key] = offset }
            state.failures += 1
            defer { state.isScheduled = true }
            return (state.backoff.next(atLeast: interval), state.failures, !state.isScheduled)
        }
        if failures & (failures - 1) == 0 {
            logger.warning("cannot commit the group's offsets: \(error); trying again (attempt \(failures + 1))",
                ("partitions", String(failed.count)))
        }
        if mustSchedule { flush(after: wait) }
    }
}
