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
        guard mustSchedule else { return }
        Task {
            try? await Task.sleep(for: interval)
            await flush()
        }
    }

    /// Commits what has moved since the last commit. Flushes run one after the other: once this returns, no older
    /// offset is on its way to the log.
    package func flush() async {
        let flush = state.withLock { state in
            let previous = state.lastFlush
            let flush = Task {
                await previous?.value
                await commitMoved()
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
        for (key, offset) in dirty {
            do {
                try await log.commit(group: group, topic: key.topic, partition: key.partition, offset: offset)
            } catch {
                logger.warning("cannot commit the group's offset: \(error); the next commit tries again",
                    ("topic", key.topic.text), ("partition", String(key.partition)), ("offset", String(offset)))
                restore(key, offset)
            }
        }
    }

    /// A failed commit stays due, unless the partition has moved on meanwhile.
    private func restore(_ key: Key, _ offset: Offset) {
        state.withLock { state in
            if state.dirty[key] == nil { state.dirty[key] = offset }
        }
    }
}
