import CRdKafka
import Martlet
import Synchronization

/// This host's part in a group: a client that takes part in dividing the partitions, sends heartbeats and commits. It reads
/// nothing: ``KafkaReader`` does.
final class KafkaMember: Sendable {
    private struct State {
        var assigned: [TopicName: Set<PartitionID>] = [:]
        var isAssigned = false
        var isLeaving = false
        var hasLeft = false
        var commits: [ObjectIdentifier: KafkaCommit] = [:]
        /// What was last said to be wrong; nil once there is a part again.
        var problem: String?
    }

    /// How long a leave waits for the brokers, once the partitions are revoked.
    private static let patience = Duration.seconds(3)
    /// A poll that blocks counts as one that goes on; it is only renewed now and then.
    private static let pollTime: CInt = 3_600_000

    let group: GroupName
    private let member: any GroupMember
    private let health: ServerHealth
    private let logger: Logger
    private let callbacks: KafkaCallbacks
    private let handle: KafkaHandle
    private let queue: KafkaPointer
    private let thread = BlockingThreads(limit: 1) { _ in }
    private let state = Mutex(State())
    /// Signalled when the partitions are revoked, and when the group was left.
    private let hasChanged = KafkaSignal()

    /// Joins; told by the brokers what is its part, it tells `member`.
    init(
        _ group: GroupName, topics: [TopicName], as member: any GroupMember, _ settings: KafkaSettings, _ health: ServerHealth,
        logger: Logger, makeCallbacks: (@escaping KafkaCallbacks.Rebalance) -> KafkaCallbacks
    ) throws(ModuleError) {
        self.group = group
        self.member = member
        self.health = health
        self.logger = logger
        let relay = KafkaRebalanceRelay()
        callbacks = makeCallbacks { code, partitions in relay.member?.rebalanced(code, partitions) }
        handle = try KafkaHandle(.consumer, settings.member(of: group), callbacks)
        guard let found = rd_kafka_queue_get_consumer(handle.raw) else { preconditionFailure("every member has a queue") }
        queue = KafkaPointer(raw: found)
        relay.set(self)
        let list = KafkaPartitionList(capacity: topics.count)
        for topic in topics { list.add(topic, -1) }
        let code = rd_kafka_subscribe(handle.raw, list.raw)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw callbacks.error(code, cannot: "join the group \(group)") }
        try thread.start(count: 1)
        _ = thread.submit { [self] _ in run() }
    }

    deinit {
        rd_kafka_queue_destroy(queue.raw)
    }

    // MARK: The member's thread

    private func run() {
        while !state.withLock({ $0.isLeaving }) {
            guard let message = rd_kafka_consumer_poll(handle.raw, Self.pollTime) else { continue }
            report(message)
            rd_kafka_message_destroy(message)
        }
        // Revokes, and leaves the group.
        rd_kafka_consumer_close(handle.raw)
        revoke()
        handle.serve()
        let open = state.withLock { state in
            state.hasLeft = true
            defer { state.commits = [:] }
            return Array(state.commits.values)
        }
        for commit in open { commit.finish(callbacks.error(RD_KAFKA_RESP_ERR__TIMED_OUT, cannot: "store an offset of the group \(group)")) }
        hasChanged.signal()
    }

    private func report(_ message: UnsafeMutablePointer<rd_kafka_message_t>) {
        let code = message.pointee.err
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        let reason = rd_kafka_message_errstr(message).map { String(cString: $0) }
        let error = callbacks.error(code, cannot: "take part in the group \(group)", reason)
        // librdkafka tries again, and says the same again.
        let isNews = state.withLock { state in
            defer { state.problem = error.code }
            return state.problem != error.code
        }
        guard isNews else { return }
        logger.warning("\(error.message)", ("code", error.code), ("group", group.text))
    }

    /// On the member's thread, inside of a poll or of the close.
    fileprivate func rebalanced(_ code: rd_kafka_resp_err_t, _ partitions: [TopicName: [PartitionID]]) {
        revoke()
        guard code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS else {
            rd_kafka_assign(handle.raw, nil)
            return
        }
        health.answered()
        // The member has them; this client fetches nothing from them.
        let nothing = KafkaPartitionList()
        rd_kafka_assign(handle.raw, nothing.raw)
        state.withLock { state in
            state.assigned = partitions.mapValues { Set($0) }
            state.isAssigned = true
            state.problem = nil
        }
        wait { [member] in await member.assigned(partitions) }
    }

    private func revoke() {
        guard state.withLock({ $0.isAssigned }) else { return }
        // Until the member has settled its matters, it still commits.
        wait { [member] in await member.revoked() }
        state.withLock { state in
            state.isAssigned = false
            state.assigned = [:]
        }
        hasChanged.signal()
    }

    /// Blocks the member's thread until the body has ended, which is what makes librdkafka wait.
    private func wait(_ body: @escaping @Sendable () async -> Void) {
        let hasEnded = ThreadSemaphore()
        Task {
            await body()
            hasEnded.signal()
        }
        hasEnded.wait()
    }

    // MARK: Leaving

    func leave() async {
        // A cancelled task leaves all the same.
        await Task { [self] in
            state.withLock { $0.isLeaving = true }
            rd_kafka_queue_yield(queue.raw)
            while state.withLock({ !$0.hasLeft && $0.isAssigned }) {
                await hasChanged.wait(until: .now + Self.patience / 3)
                giveUpCommits()
            }
            // The rest is a message to the brokers, which may be away.
            let deadline = ContinuousClock.now + Self.patience
            while !state.withLock({ $0.hasLeft }), ContinuousClock.now < deadline { await hasChanged.wait(until: deadline) }
            Task { await thread.stop() }
        }.value
    }

    /// Brokers that say nothing hold nobody up who wants to leave: what they have not stored comes again.
    private func giveUpCommits() {
        let before = ContinuousClock.now - Self.patience
        let late = state.withLock { state in
            let late = state.commits.filter { $0.value.start < before }
            for key in late.keys { state.commits[key] = nil }
            return Array(late.values)
        }
        guard !late.isEmpty else { return }
        let error = callbacks.error(RD_KAFKA_RESP_ERR__TIMED_OUT, cannot: "store an offset of the group \(group) while this host leaves it")
        for commit in late { commit.finish(error) }
    }

    // MARK: Committing

    /// - Throws: transient, `log.not_owner`, for a partition that is not the member's.
    func commit(_ topic: TopicName, _ partition: PartitionID, _ offset: Offset) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let commit = KafkaCommit(self, continuation)
            let isOwner = state.withLock { state in
                guard !state.hasLeft, state.assigned[topic]?.contains(partition) == true else { return false }
                state.commits[ObjectIdentifier(commit)] = commit
                return true
            }
            guard isOwner else { return commit.finish(KafkaFailure.notOwner(group, topic, partition)) }
            let list = KafkaPartitionList()
            list.add(topic, partition, offset: offset)
            let opaque = Unmanaged.passRetained(commit)
            let code = rd_kafka_commit_queue(handle.raw, list.raw, handle.mainQueue.raw, kafkaCommitted, opaque.toOpaque())
            guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
            opaque.release()
            committed(commit, code)
        }
    }

    fileprivate func committed(_ commit: KafkaCommit, _ code: rd_kafka_resp_err_t) {
        _ = state.withLock { $0.commits.removeValue(forKey: ObjectIdentifier(commit)) }
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else {
            health.answered()
            return commit.finish(nil)
        }
        commit.finish(callbacks.error(code, cannot: "store an offset of the group \(group)"))
    }
}

/// Finds the member for its client's callbacks, which are made first.
private final class KafkaRebalanceRelay: Sendable {
    private struct WeakMember {
        weak var member: KafkaMember?
    }

    private let state = Mutex(WeakMember())

    var member: KafkaMember? { state.withLock { $0.member } }
    func set(_ member: KafkaMember) { state.withLock { $0.member = member } }
}

/// One commit under way: ends once.
final class KafkaCommit: Sendable {
    let start = ContinuousClock.now
    private let continuation: Mutex<CheckedContinuation<Void, any Error>?>
    private let member: KafkaMember

    init(_ member: KafkaMember, _ continuation: CheckedContinuation<Void, any Error>) {
        self.member = member
        self.continuation = Mutex(continuation)
    }

    func finish(_ error: ModuleError?) {
        let continuation = continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        if let error { continuation?.resume(throwing: error) } else { continuation?.resume() }
    }

    fileprivate static func ended(_ opaque: UnsafeMutableRawPointer, _ code: rd_kafka_resp_err_t) {
        let commit = Unmanaged<KafkaCommit>.fromOpaque(opaque).takeRetainedValue()
        commit.member.committed(commit, code)
    }
}

/// The answer to a commit, on the events thread.
private nonisolated func kafkaCommitted(
    _ client: OpaquePointer?, _ code: rd_kafka_resp_err_t, _ partitions: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?,
    _ opaque: UnsafeMutableRawPointer?
) {
    guard let opaque else { return }
    var code = code
    // librdkafka puts what concerns one partition there.
    if code == RD_KAFKA_RESP_ERR_NO_ERROR, let list = partitions?.pointee {
        for index in 0..<Int(list.cnt) where list.elems[index].err != RD_KAFKA_RESP_ERR_NO_ERROR { code = list.elems[index].err }
    }
    KafkaCommit.ended(opaque, code)
}
