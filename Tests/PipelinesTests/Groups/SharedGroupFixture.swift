import Martlet
import Synchronization

@testable import Pipelines

/// One group on several hosts over a shared log, with a topic `items`.
struct SharedGroupFixture {
    /// What one host has of it.
    struct Member {
        let log: MemorySharedLog
        let runner: SharedLogRunner
        let group: GroupRunner
        let sink: SwitchedSink
        let metrics: MetricsRegistry

        var seat: MemorySharedLog.Seat? { log.seat("group") }

        func assign(_ partitions: PartitionID...) async {
            await seat?.assign(["items": partitions])
        }

        func stop() async {
            await group.stop()
            await runner.close()
        }
    }

    static let settings = TopicSettings(
        partitions: 4, retentionMilliseconds: nil, retentionBytes: nil, segmentBytes: 1 << 20, cleanup: .delete)

    let cluster = MemoryCluster()
    let members: [Member]

    /// - Parameter target: what the group writes to, if not to each member's own sink.
    init(members count: Int = 1, batchEvents: Int = 10, start: GroupSettings.Start = .earliest, target: GroupTarget? = nil) async throws {
        let cluster = cluster
        members = (0..<count).map { _ in
            let log = MemorySharedLog(cluster)
            let runner = SharedLogRunner(log: log, logger: .silent)
            let sink = SwitchedSink()
            let metrics = MetricsRegistry()
            var settings = GroupSettings(name: "group", topics: ["items"])
            settings.batchEvents = batchEvents
            settings.start = start
            settings.retryInitial = .milliseconds(5)
            settings.retryMaximum = .milliseconds(20)
            let group = GroupRunner(
                settings: settings, target: target ?? .sink(sink), transforms: TransformChain([]), log: log, registry: metrics,
                dependencies: [], shared: runner, logger: .silent)
            return Member(log: log, runner: runner, group: group, sink: sink, metrics: metrics)
        }
        for member in members {
            member.runner.expect([("items", Self.settings), (TopicName("items").deadLetters, Self.settings)])
            member.group.start()
            try await wait(for: "the part in the group") { member.seat != nil }
        }
    }

    /// Publishes an event to one partition.
    func publish(_ texts: String..., to partition: PartitionID = 0) async throws {
        let key = try await key(of: partition)
        let events = texts.map { Event(id: EventID.generate(), key: key, payload: Bytes($0), timestamp: Timestamp.now()) }
        _ = try await cluster.log.append(events, to: "items")
    }

    /// A key whose events go to a partition.
    private func key(of partition: PartitionID) async throws -> Bytes {
        for number in 0..<10_000 {
            let key = Bytes("key-\(number)")
            if KafkaPartitioner.partition(of: key, count: Self.settings.partitions) == partition { return key }
        }
        throw GroupFixture.Overdue(what: "a key of partition \(partition)")
    }

    func committed(_ partition: PartitionID = 0) async throws -> Offset? {
        try await cluster.log.committedOffset(group: "group", topic: "items", partition: partition)
    }

    /// Waits for a condition with a deadline.
    func wait(for what: String, _ condition: () -> Bool) async throws {
        guard await waitUntil(within: .seconds(30), condition) else { throw GroupFixture.Overdue(what: what) }
    }

    func stop() async {
        for member in members { await member.stop() }
    }
}
