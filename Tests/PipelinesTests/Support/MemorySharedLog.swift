import Martlet
import Pipelines
import Synchronization

/// One host's view of a ``MemoryCluster``. Who reads what is for the test to say.
final class MemorySharedLog: SharedLog {
    struct Config: ModuleConfig {
        let cluster: String
        let maxRecordBytes: Int

        init(from fields: inout ConfigFields) {
            cluster = fields.required("cluster", "The cluster of the test.", example: "one")
            maxRecordBytes = fields.optional("max_record_bytes", default: 1 << 20, in: 1...(1 << 28), "The largest event.")
        }
    }

    /// This host's part in one group.
    final class Seat: GroupMembership {
        let group: GroupName
        let topics: [TopicName]
        let member: any GroupMember
        private let log: MemorySharedLog
        private let assigned = Mutex<[TopicName: [PartitionID]]?>(nil)

        init(_ group: GroupName, _ topics: [TopicName], _ member: any GroupMember, _ log: MemorySharedLog) {
            self.group = group
            self.topics = topics
            self.member = member
            self.log = log
        }

        /// Takes back what was given before, then gives these.
        func assign(_ partitions: [TopicName: [PartitionID]]) async {
            await revoke()
            log.cluster.give(group, partitions, to: log, from: [:])
            assigned.withLock { $0 = partitions }
            await member.assigned(partitions)
        }

        func revoke() async {
            guard let previous = assigned.withLock({ $0 }) else { return }
            await member.revoked()
            log.cluster.give(group, [:], to: log, from: previous)
            assigned.withLock { $0 = nil }
        }

        /// What was given is another host's already when this one hears of it.
        func lose() async {
            guard let previous = assigned.withLock({ $0 }) else { return }
            log.cluster.give(group, [:], to: log, from: previous)
            assigned.withLock { $0 = nil }
            await member.revoked()
        }

        func leave() async {
            await revoke()
            log.seats.withLock { $0[group] = nil }
        }
    }

    static let name = "memory_shared"
    static let summary = "Keeps events in the memory of a test."

    let cluster: MemoryCluster
    let maxEventBytes: Int
    fileprivate let seats = Mutex<[GroupName: Seat]>([:])
    private let health = Mutex<(trouble: ModuleError?, hasAnswered: Bool)>((nil, false))
    private let known = Mutex<Set<TopicName>>([])
    private let held = Mutex<[@Sendable (Result<[RecordPlace], ModuleError>) -> Void]>([])

    init(_ cluster: MemoryCluster) {
        self.cluster = cluster
        maxEventBytes = 1 << 20
    }

    init?(config: Config, context: ModuleContext) {
        cluster = MemoryCluster.named(config.cluster)
        maxEventBytes = config.maxRecordBytes
    }

    var trouble: ModuleError? { health.withLock { $0.trouble } }
    var hasAnswered: Bool { health.withLock { $0.hasAnswered } }

    /// The host's part in a group; nil if it has none.
    func seat(_ group: GroupName) -> Seat? { seats.withLock { $0[group] } }

    private func ask() throws(ModuleError) {
        do throws(ModuleError) {
            try cluster.check()
            health.withLock { $0 = (nil, true) }
        } catch {
            health.withLock { $0.trouble = error }
            throw error
        }
    }

    func join(_ group: GroupName, topics: [TopicName], as member: any GroupMember) throws(ModuleError) -> any GroupMembership {
        let seat = Seat(group, topics, member, self)
        seats.withLock { $0[group] = seat }
        if cluster.assignsAllPartitions {
            Task { [cluster] in
                let all = topics.map { ($0, (0..<PartitionID(cluster.log.topic($0)?.partitions ?? 0)).map { $0 }) }
                await seat.assign(Dictionary(uniqueKeysWithValues: all))
            }
        }
        return seat
    }

    // MARK: EventLog

    func open() async throws {}

    func close() async {
        let held = held.withLock { held in
            defer { held = [] }
            return held
        }
        for completion in held { completion(.failure(.transient("log.not_open", "the log is closed"))) }
    }

    /// How many appends are not answered.
    var heldAppends: Int { held.withLock { $0.count } }

    func ensureTopic(_ name: TopicName, _ settings: TopicSettings) async throws -> TopicInfo {
        try ask()
        if let refusal = cluster.refusal(of: name) { throw refusal }
        let info = try await cluster.log.ensureTopic(name, settings)
        known.withLock { _ = $0.insert(name) }
        return info
    }

    func topic(_ name: TopicName) -> TopicInfo? { known.withLock { $0.contains(name) } ? cluster.log.topic(name) : nil }
    func topics() -> [TopicInfo] { cluster.log.topics().filter { info in known.withLock { $0.contains(info.name) } } }

    func append(
        _ events: [Event], to topic: TopicName, mark: ProducerMark?,
        completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) {
        do throws(ModuleError) {
            try ask()
        } catch {
            return completion(.failure(error))
        }
        if cluster.holdsAllAppends { return held.withLock { $0.append(completion) } }
        cluster.log.append(events, to: topic, mark: nil, completion: completion)
    }

    func read(topic: TopicName, partition: PartitionID, from offset: Offset, maxBytes: Int) async throws -> [Record] {
        try ask()
        return try await cluster.log.read(topic: topic, partition: partition, from: offset, maxBytes: maxBytes)
    }

    func waitForRecord(topic: TopicName, partition: PartitionID, at offset: Offset) async throws {
        try await cluster.log.waitForRecord(topic: topic, partition: partition, at: offset)
    }

    func positions(of name: TopicName) async throws -> TopicPositions {
        try ask()
        return try await cluster.log.positions(of: name)
    }

    /// What this host last heard: never anything.
    func offsets(topic: TopicName, partition: PartitionID) throws -> Range<Offset> { 0..<0 }

    func offset(topic: TopicName, partition: PartitionID, at timestamp: Int64) async throws -> Offset { 0 }

    func committedOffset(group: GroupName, topic: TopicName, partition: PartitionID) async throws -> Offset? {
        try ask()
        return try await cluster.log.committedOffset(group: group, topic: topic, partition: partition)
    }

    func commit(group: GroupName, topic: TopicName, partition: PartitionID, offset: Offset) async throws {
        let share = MemoryCluster.Share(group: group, topic: topic, partition: partition)
        try await cluster.commit(share, offset, by: seat(group) == nil ? nil : self)
    }

    func committedGroups() async throws -> [GroupName] { [] }
}
