package import Martlet
import Synchronization

/// What can be told of a group at one moment.
package struct GroupStatus: Sendable {
    /// What a group or a partition of it does.
    package enum Phase: String, Sendable {
        /// Its modules are not open yet.
        case opening
        case running
        /// Paused, with a batch under way.
        case pausing
        case paused
        /// Retries a batch, or cannot read.
        case held
        /// Runs on the host that has the log, not here; of a partition, also one that another host reads from a shared log.
        case elsewhere
    }

    /// One partition of the group.
    package struct Partition: Sendable {
        package let place: GroupPartition
        package let phase: Phase
        /// The next record to consume; nil before the worker knows it.
        package let offset: Offset?
        /// What the partition has: the first offset kept, up to the end.
        package let available: Range<Offset>
        package let trouble: GroupHealth.Trouble?
        package let counters: Counters

        /// Records between the offset and the end; nil before the offset is known.
        package var lag: Int64? { offset.map { max(0, available.upperBound - max($0, available.lowerBound)) } }
    }

    /// What became of consumed records since the host started.
    package struct Counters: Sendable {
        package var consumed = 0
        package var handled = 0
        package var filtered = 0
        package var deadLettered = 0
        package var expired = 0
        package var inFlight = 0
        package var retries = 0
    }

    package let name: GroupName
    package let topics: [TopicName]
    package let phase: Phase
    package let partitions: [Partition]

    /// The sum over the partitions that are read here; nil before all offsets are known, and if there are none.
    package var lag: Int64? {
        let here = partitions.filter { $0.phase != .elsewhere }
        if here.isEmpty, !partitions.isEmpty { return nil }
        return here.reduce(Optional(0)) { sum, partition in
            guard let sum, let lag = partition.lag else { return nil }
            return sum + lag
        }
    }

    /// The sums over the partitions.
    package var counters: Counters {
        partitions.reduce(into: Counters()) { $0.add($1.counters) }
    }
}

extension GroupStatus.Counters {
    init(_ metrics: GroupMetrics) {
        consumed = metrics.consumed.value
        handled = metrics.handled.value
        filtered = metrics.filtered.value
        deadLettered = metrics.deadLettered.value
        expired = metrics.expired.value
        inFlight = metrics.inFlight.value
        retries = metrics.retries.value
    }

    fileprivate mutating func add(_ other: Self) {
        consumed += other.consumed
        handled += other.handled
        filtered += other.filtered
        deadLettered += other.deadLettered
        expired += other.expired
        inFlight += other.inFlight
        retries += other.retries
    }
}

extension GroupRunner {
    /// The group now. Numbers of different partitions are read one after the other.
    package var status: GroupStatus {
        let (here, elsewhere) = partitions
        let isOpen = state.withLock { $0.workers != nil || $0.hasJoined }
        let troubles = health.current
        let busy = gate.busy
        func phase(_ isHeld: Bool, _ isBusy: Bool) -> GroupStatus.Phase {
            if !runsHere { return .elsewhere }
            if !isOpen { return .opening }
            if gate.isPaused { return isBusy ? .pausing : .paused }
            return isHeld ? .held : .running
        }
        func status(_ entry: Partition, _ phase: GroupStatus.Phase) -> GroupStatus.Partition {
            GroupStatus.Partition(
                place: entry.place, phase: phase,
                offset: entry.progress.offset,
                available: (try? log.offsets(topic: entry.place.topic, partition: entry.place.partition)) ?? 0..<0,
                trouble: troubles[entry.place], counters: GroupStatus.Counters(entry.metrics))
        }
        let read = here.map { status($0, phase(troubles[$0.place] != nil, busy.contains($0.place))) }
        let others = elsewhere.map { status($0, isOpen ? .elsewhere : .opening) }
        let order = settings.topics
        func isBefore(_ left: GroupStatus.Partition, _ right: GroupStatus.Partition) -> Bool {
            let (a, b) = (order.firstIndex(of: left.place.topic) ?? 0, order.firstIndex(of: right.place.topic) ?? 0)
            return (a, left.place.partition) < (b, right.place.partition)
        }
        return GroupStatus(
            name: settings.name, topics: settings.topics, phase: phase(!troubles.isEmpty, !busy.isEmpty),
            partitions: elsewhere.isEmpty ? read : (read + others).sorted(by: isBefore))
    }
}
