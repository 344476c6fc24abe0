package import Martlet
import Synchronization

/// A group whose partitions a shared log gives out among the hosts that run it.
extension GroupRunner: GroupMember {
    /// Takes part once the group's topics are there.
    func join(_ shared: SharedLogRunner) async throws {
        try await shared.wait(for: settings.topics)
        try await opener.open("the part in the group") {
            let membership = try shared.log.join(settings.name, topics: settings.topics, as: self)
            state.withLock { $0.membership = membership }
        }
    }

    /// Gives the partitions back.
    func leave() async {
        let membership = state.withLock { state in
            defer { state.membership = nil }
            return state.membership
        }
        await membership?.leave()
    }

    /// Starts workers for these partitions, and no others. Waits for a reset that is under way.
    package func assigned(_ partitions: [TopicName: [PartitionID]]) async {
        await whenUnchanging { [self] in
            await giveUpPartitions()
            state.withLock { state in
                state.assignment = partitions
                state.hasJoined = true
            }
            startWorkers()
        }
        let count = partitions.values.reduce(0) { $0 + $1.count }
        logger.info("reads \(count) partition\(count == 1 ? "" : "s") of the group")
    }

    /// Ends the workers and commits what they settled. Records of a batch that is given up count as in flight on this host
    /// until it reads the partition again, so that its counters add up.
    package func revoked() async {
        await whenUnchanging { [self] in await giveUpPartitions() }
    }

    private func giveUpPartitions() async {
        await endWorkers(isLast: true)
        let given = state.withLock { state in
            defer {
                state.workers = nil
                state.assignment = nil
                state.partitions = []
            }
            return state.partitions
        }
        // Now it is another host's to tell.
        for partition in given { partition.metrics.lag.set(0) }
    }

    /// The partitions that the log has given to this host, in the order of the topics.
    func assignedPartitions() -> [Partition] {
        let assignment = state.withLock { $0.assignment } ?? [:]
        return settings.topics.flatMap { name -> [Partition] in
            let numbers = assignment[name] ?? []
            guard let topic = log.topic(name) else {
                if !numbers.isEmpty {
                    logger.error("the log gave out partitions of topic \(name), which it does not know: this is a defect of its module")
                }
                return []
            }
            return numbers.sorted().map { partition(of: topic, $0) }
        }
    }

    /// The partitions that are read here, or will be once the group is open, and those that other hosts may read.
    var partitions: (here: [Partition], elsewhere: [Partition]) {
        let known = state.withLock { $0.partitions }
        guard shared != nil else { return (known.isEmpty ? currentPartitions() : known, []) }
        let places = Set(known.map(\.place))
        return (known, currentPartitions().filter { !places.contains($0.place) })
    }
}
