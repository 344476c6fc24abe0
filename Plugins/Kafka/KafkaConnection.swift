import CRdKafka
import Glibc
import Martlet
import Synchronization

/// What a `kafka` log has while it is open: clients, threads, and what it knows of the topics.
final class KafkaConnection: Sendable {
    /// How often offsets and the number of partitions are asked for, for show.
    private static let watchInterval = Duration.seconds(5)
    /// However often something is in doubt.
    private static let watchPause = Duration.milliseconds(200)
    /// Milliseconds that the watch waits for offsets, of which one broker that is away keeps all.
    private static let glanceTime = 2_000
    /// Pauses in which a new topic is waited for.
    private static let settlingPause: UInt32 = 20_000
    /// How long a close waits for calls that brokers do not answer; they end later by themselves.
    private static let patience = Duration.seconds(2)

    let topics = KafkaTopics()
    let producer: KafkaProducer
    let reader: KafkaReader
    private let settings: KafkaSettings
    private let health: ServerHealth
    /// They live a little longer than the connection; see ``KafkaThreads/waitForClients(until:)``.
    let threads: KafkaThreads
    private let admin: KafkaAdmin
    private let mustLook: KafkaSignal
    private let logger: Logger
    private let watch = Mutex<Task<Void, Never>?>(nil)

    /// - Throws: blocked, `log.kafka_setting`; transient, `host.no_thread`. Not because the brokers are away.
    init(_ settings: KafkaSettings, _ health: ServerHealth, _ mustLook: KafkaSignal, _ logger: Logger) throws(ModuleError) {
        let threads = try KafkaThreads()
        let makeCallbacks: @Sendable () -> KafkaCallbacks = {
            KafkaCallbacks(servers: settings.servers, health: health, threads: threads, logger: logger, mustLook: mustLook)
        }
        let admin = try KafkaAdmin(
            settings, health,
            KafkaCallbacks(servers: settings.servers, health: health, threads: threads, logger: logger))
        self.settings = settings
        self.health = health
        self.mustLook = mustLook
        self.threads = threads
        self.admin = admin
        self.logger = logger
        producer = KafkaProducer(settings, health, threads, logger, makeCallbacks: makeCallbacks)
        reader = KafkaReader(settings, health, threads, admin, makeCallbacks: makeCallbacks)
    }

    func join(_ group: GroupName, topics: [TopicName], as member: any GroupMember) throws(ModuleError) -> KafkaMember {
        try KafkaMember(group, topics: topics, as: member, settings, health, logger: logger) { rebalance in
            KafkaCallbacks(
                servers: settings.servers, health: health, threads: threads, logger: logger, mustLook: mustLook, rebalance: rebalance)
        }
    }

    /// Runs what asks the brokers and blocks. While they are away, only the watch tries.
    func ask<Value: Sendable>(_ body: @escaping @Sendable (KafkaAdmin) throws -> Value) async throws -> Value {
        if let trouble = health.trouble { throw trouble }
        return try await health.asking {
            try await threads.run { [admin, health] in
                // It may have waited for those before it to hear nothing.
                if let trouble = health.trouble { throw trouble }
                return try body(admin)
            }
        }
    }

    // MARK: Topics

    /// Makes the topic, or adds partitions to it.
    func ensureTopic(_ name: TopicName, _ wanted: TopicSettings) async throws -> TopicInfo {
        guard name.isValid else {
            throw ModuleError.blocked(
                "log.invalid_topic", "\"\(name)\" is no name for a topic: letters, digits, `.`, `_` and `-`, at most 249 of them")
        }
        let info = try await ask { [settings, threads] admin in
            let count = try Self.ensure(name, wanted, admin, threads, timeout: settings.requestTimeout)
            try admin.know(name)
            return TopicInfo(name: name, partitions: count, incarnation: "\(try admin.clusterID())/\(name)")
        }
        topics.remember(info, compression: wanted.compression)
        _ = try await positions(of: name)
        return topics[name]?.info ?? info
    }

    private static func ensure(
        _ name: TopicName, _ wanted: TopicSettings, _ admin: KafkaAdmin, _ threads: KafkaThreads, timeout: Int
    ) throws -> Int {
        let found = try admin.partitionCounts(.all)[name]
        if let found, found > wanted.partitions {
            throw ModuleError.blocked(
                "log.fewer_partitions",
                "topic \"\(name)\" has \(found) partitions on the brokers, and \(wanted.partitions) are asked for; partitions cannot be "
                    + "taken away: keep \(found), or use a new topic")
        }
        if found == wanted.partitions { return wanted.partitions }
        if found == nil { try admin.create(name, wanted) } else { try admin.addPartitions(name, upTo: wanted.partitions) }
        // The brokers tell each other.
        let deadline = ContinuousClock.now + .milliseconds(timeout)
        while true {
            if let count = try admin.partitionCounts(.all)[name], count >= wanted.partitions { return count }
            if threads.isClosing { throw KafkaFailure.closed }
            guard ContinuousClock.now < deadline else {
                throw ModuleError.transient(
                    "log.kafka_timeout", "the topic \(name) was made, and the brokers do not show it within \(timeout) ms")
            }
            usleep(settlingPause)
        }
    }

    /// The offsets of all partitions, from the brokers.
    func positions(of name: TopicName) async throws -> TopicPositions {
        let isKnown = topics[name] != nil
        let (count, cluster) = try await ask { admin in
            (try admin.partitionCounts(isKnown ? .known : .all)[name], try admin.clusterID())
        }
        guard let count else {
            throw isKnown
                ? ModuleError.blocked("log.unknown_topic", "the brokers have no topic \(name) any more: was it deleted?")
                : ModuleError.transient("log.unknown_topic", "the log does not know the topic \(name) yet")
        }
        let topic = topics.remember(TopicInfo(name: name, partitions: count, incarnation: "\(cluster)/\(name)"))
        let ranges = try await ask { admin in
            try admin.know(name)
            return try admin.ranges((0..<PartitionID(count)).map { (name, $0) })
        }
        return TopicPositions(topic: topic.info, offsets: zip(topic.partitions, ranges).map { $0.heard($1) })
    }

    /// Appends to a topic that this host was not asked to make: rows of an outbox may be of another host, or of an earlier config.
    func append(
        _ events: [Event], toOthers topic: TopicName, completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) async {
        do {
            let known = try await ask { admin in
                try admin.partitionCounts(.all)[topic].map { TopicInfo(name: topic, partitions: $0, incarnation: "\(try admin.clusterID())/\(topic)") }
            }
            guard let known else { throw KafkaFailure.unknownTopic(topic) }
            producer.append(events, to: topics.remember(known), completion: completion)
        } catch {
            completion(.failure(error as? ModuleError ?? KafkaFailure.closed))
        }
    }

    // MARK: The watch

    func startWatch() {
        let task = Task { [weak self] in
            var backoff = Backoff(initial: .milliseconds(250), maximum: .seconds(2))
            while !Task.isCancelled, let self {
                let wait = await self.look(&backoff)
                try? await Task.sleep(for: Self.watchPause)
                await self.mustLook.wait(until: .now + wait)
            }
        }
        watch.withLock { $0 = task }
    }

    /// Asks once for what is known of the topics. Returns how long to wait before the next time.
    private func look(_ backoff: inout Backoff) async -> Duration {
        let partitions = topics.all.flatMap(\.partitions)
        reader.rest(partitions)
        do {
            let counts = try await health.noting { try await threads.run { [admin] in try admin.partitionCounts(.known) } }
            for topic in topics.all {
                guard let count = counts[topic.info.name], count > topic.info.partitions else { continue }
                topics.remember(TopicInfo(name: topic.info.name, partitions: count, incarnation: topic.info.incarnation))
            }
            backoff.reset()
            let ranges = try? await threads.run { [admin, settings] in
                let timeout = min(settings.requestTimeout, Self.glanceTime)
                return try admin.knownRanges(partitions.map { ($0.topic, $0.number) }, timeout: timeout)
            }
            for (partition, range) in zip(partitions, ranges ?? []) { if let range { _ = partition.heard(range) } }
            return Self.watchInterval
        } catch {
            logger.debug("the watch of the topics: \(error)")
            return backoff.next()
        }
    }

    // MARK: The end

    func close() async {
        threads.beginToClose()
        watch.withLock { $0 }?.cancel()
        await producer.close()
        reader.close(topics.all.flatMap(\.partitions))
        let hasStopped = KafkaSignal()
        Task { [threads] in
            await threads.stop()
            hasStopped.signal()
        }
        await hasStopped.wait(until: .now + Self.patience)
    }
}
