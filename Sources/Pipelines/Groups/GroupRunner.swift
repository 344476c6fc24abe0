package import Martlet
import Synchronization

/// Runs one consumer group: opens its modules, then a worker for each partition of its topics, or for those that a shared log
/// gives to this host.
package final class GroupRunner: Sendable {
    package let settings: GroupSettings
    package let target: GroupTarget
    package let transforms: TransformChain
    package let health: GroupHealth
    package let gate: PauseGate
    /// Whether this host runs the group. If not, it only validates it, and its channels replay it.
    package let runsHere: Bool
    /// Set if hosts share the log, and so the group's partitions.
    let shared: SharedLogRunner?
    /// For channels that replay the group on a host that does not run it.
    let replayTransforms: ReplayTransforms

    /// A partition that a worker reads.
    struct Partition {
        let place: GroupPartition
        let progress: PartitionProgress
        let metrics: GroupMetrics
    }

    struct State {
        /// Opens the modules and starts the first workers.
        var task: Task<Void, Never>?
        var workers: Task<Void, Never>?
        /// Ends the workers, changes what they read or where they stand, and starts others. One at a time.
        var change: Task<Void, any Error>?
        /// What the workers read.
        var partitions: [Partition] = []
        /// This host's part in the group, with a shared log.
        var membership: (any GroupMembership)?
        /// What a shared log has given to this host; nil until it does, and after it has taken that back.
        var assignment: [TopicName: [PartitionID]]?
        /// Whether a shared log has given out the partitions at least once, be it none for this host.
        var hasJoined = false
        var isOpen = false
        /// Why the group's modules cannot be opened yet.
        var openingError: ModuleError?
        var isStopping = false
    }

    let log: any EventLog
    private let registry: MetricsRegistry
    private let dependencies: [Readiness]
    let logger: Logger
    let committer: OffsetCommitter
    let state = Mutex(State())

    package init(
        settings: GroupSettings, target: GroupTarget, transforms: TransformChain, log: any EventLog,
        registry: MetricsRegistry, dependencies: [Readiness], runsHere: Bool = true, shared: SharedLogRunner? = nil, logger: Logger
    ) {
        self.settings = settings
        self.runsHere = runsHere
        self.shared = shared
        self.target = target
        self.transforms = transforms
        self.log = log
        self.registry = registry
        self.dependencies = dependencies
        self.logger = logger.with("group", settings.name.text)
        health = GroupHealth(logger: self.logger)
        gate = PauseGate(isPaused: settings.isPaused)
        replayTransforms = ReplayTransforms(transforms, logger: self.logger)
        committer = OffsetCommitter(
            log: log, group: settings.name, interval: settings.commitInterval, logger: self.logger)
    }

    /// Starts to open and run; returns at once. What the modules use is awaited first; modules that cannot be opened
    /// are tried again with backoff.
    package func start() {
        let task = Task {
            do {
                for dependency in dependencies { try await dependency.wait() }
                try await open()
                if let shared { try await join(shared) } else { startWorkers() }
                state.withLock { $0.isOpen = true }
            } catch {
                logger.debug("group stops before it was open")
            }
        }
        state.withLock { $0.task = task }
    }

    /// Lets the batch under way finish, commits, gives the partitions of a shared log back, and closes the group's modules.
    package func stop() async {
        let task = state.withLock { state in
            state.isStopping = true
            return state.task
        }
        task?.cancel()
        await task?.value
        // Before a change is waited for, which may wait for a log that lets go of whoever leaves.
        await leave()
        _ = await state.withLock { $0.change }?.result
        await endWorkers()
        if case .sink(let sink) = target { await sink.close() }
        for transform in transforms.transforms { await transform.close() }
        state.withLock { $0.isOpen = false }
    }

    /// Whether the group's modules are open and no partition is held up.
    package var isReady: Bool {
        state.withLock { $0.isOpen } && health.current.isEmpty
    }

    /// Why the group's modules could not be opened when they were last tried; nil once they are open.
    package var openingError: ModuleError? {
        state.withLock { $0.openingError }
    }

    /// Each partition with the next offset to read; nil before it is known.
    package var positions: [(partition: GroupPartition, offset: Offset?)] {
        state.withLock { state in state.partitions.map { ($0.place, $0.progress.offset) } }
    }

    /// Sets the lag gauges from the log's ends.
    package func updateLag() {
        for partition in state.withLock({ $0.partitions }) {
            guard let offset = partition.progress.offset,
                let available = try? log.offsets(topic: partition.place.topic, partition: partition.place.partition)
            else { continue }
            partition.metrics.lag.set(Int(max(0, available.upperBound - offset)))
        }
    }

    /// Tries again for as long as it fails, and notes why.
    var opener: ModuleOpener {
        ModuleOpener(logger: logger) { [weak self] error in
            self?.state.withLock { $0.openingError = error }
        }
    }

    private func open() async throws {
        let opener = opener
        for transform in transforms.transforms {
            try await opener.open("transform \(type(of: transform).name)") { try await transform.open() }
        }
        if case .sink(let sink) = target {
            try await opener.open("sink \(type(of: sink).name)") { try await sink.open() }
        }
    }

    /// The partitions of the group's topics, as the log has them now.
    func currentPartitions() -> [Partition] {
        settings.topics.compactMap { log.topic($0) }.flatMap { topic in
            (0..<PartitionID(topic.partitions)).map { partition(of: topic, $0) }
        }
    }

    func partition(of topic: TopicInfo, _ number: PartitionID) -> Partition {
        Partition(
            place: GroupPartition(group: settings.name, topic: topic.name, incarnation: topic.incarnation, partition: number),
            progress: PartitionProgress(),
            metrics: GroupMetrics(registry: registry, group: settings.name, topic: topic.name, partition: number))
    }

    /// Starts a worker for each partition that this host reads, unless the group stops.
    func startWorkers() {
        let partitions = shared == nil ? currentPartitions() : assignedPartitions()
        state.withLock { state in
            if state.isStopping { return }
            state.partitions = partitions
            state.workers = Task {
                await withTaskGroup(of: Void.self) { tasks in
                    for partition in partitions {
                        let worker = worker(for: partition)
                        tasks.addTask { await worker.run() }
                    }
                }
            }
        }
    }

    /// Lets the batches under way finish (one that waits for its next try is given up), and commits.
    /// - Parameter isLast: the partitions may be another host's afterwards.
    func endWorkers(isLast: Bool = false) async {
        let workers = state.withLock { $0.workers }
        workers?.cancel()
        await workers?.value
        health.forget()
        if isLast { await committer.flushAndForget() } else { await committer.flush() }
    }

    private func worker(for partition: Partition) -> PartitionWorker {
        let processor = BatchProcessor(
            target: target, transforms: transforms, deadLetters: DeadLetters(log: log, group: settings.name),
            settings: settings, metrics: partition.metrics, health: health, place: partition.place)
        return PartitionWorker(
            settings: settings, place: partition.place, log: log, target: target, processor: processor,
            committer: committer, gate: gate, metrics: partition.metrics, health: health,
            progress: partition.progress, logger: logger)
    }
}
