import Synchronization

/// A wait for records. Releasing it does not cancel it.
package final class WakeToken: Sendable {
    private let partition: PartitionLog
    private let id: UInt64

    init(partition: PartitionLog, id: UInt64) {
        self.partition = partition
        self.id = id
    }

    /// Takes the wait back. A wake that is under way may still be called.
    package func cancel() {
        partition.state.withLock { state in state.waiters.removeAll { $0.id == id } }
    }
}

extension EmbeddedLog {
    /// Calls `wake` once, as soon as a record at or after `offset` can be read: at once on this thread
    /// if there is one, else on the commit thread, so it has to be short. No thread waits or polls.
    /// A topic that is deleted wakes its waiters too; their next read says why.
    package func onData(
        _ topic: String, partition: Int32, from offset: Int64, _ wake: @escaping @Sendable () -> Void
    ) throws(LogError) -> WakeToken {
        onData(try self.partition(topic, partition), from: offset, wake)
    }

    /// The same with a partition looked up before.
    package func onData(_ partition: PartitionLog, from offset: Int64, _ wake: @escaping @Sendable () -> Void) -> WakeToken {
        let id = nextWaiterID.wrappingAdd(1, ordering: .relaxed).newValue
        let due = partition.state.withLock { state in
            let hasData = state.endOffset > offset && !(state.withoutRecords.upperBound == state.endOffset && state.withoutRecords.contains(offset))
            if hasData || state.deleted { return true }
            state.waiters.append(Waiter(id: id, offset: offset, wake: wake))
            return false
        }
        if due { wake() }
        return WakeToken(partition: partition, id: id)
    }
}
