package import Martlet
import Synchronization

/// Runs one consumer group: opens its modules, then a worker for each partition of its topics.
package final class GroupRunner: Sendable {
    package let settings: GroupSettings
    package let target: GroupTarget
    package let transforms: TransformChain
    package let health: GroupHealth
    package let gate: PauseGate
    /// Whether this host runs the group. If not, it only validates it, and its channels replay it.
    package let runsHere: Bool
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
        /// Ends the workers, changes what they read or where they stand, and starts others.
        var change: Task<Void, any Error>?
        var partitions: [Partition] = []
        var isOpen = false
        var isStopping = false
    }

    let log: any EventLog
    private let registry: MetricsRegistry
    private let dependencies: [Readiness]
    private let logger: Logger
    let committer: OffsetCommitter
    let state = Mutex(State())

    package init(
        settings: GroupSettings, target: GroupTarget, transforms: TransformChain, log: any EventLog,
        registry: MetricsRegistry, dependencies: [Readiness], runsHere: Bool = true, logger: Logger
    ) {
        self.settings = settings
        self.runsHere = runsHere
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
                startWorkers()
            } catch {
                logger.debug("group stops before it was open")
            }
        }
        state.withLock { $0.task = task }
    }

    /// Lets the batch under way finish, commits, and closes the group's modules.
    package func stop() async {
        let (task, change) = state.withLock { state in
            state.isStopping = true
            return (state.task, state.change)
        }
        task?.cancel()
        await task?.value
        _ = await change?.result
        await endWorkers()
        if case .sink(let sink) = target { await sink.close() }
        for transform in transforms.transforms { await transform.close() }
        state.withLock { $0.isOpen = false }
    }

    /// Whether the group's modules are open and no partition is held up.
    package var isReady: Bool {
        state.withLock { $0.isOpen } && health.current.isEmpty
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

    private func open() async throws {
        let opener = ModuleOpener(logger: logger)
        for transform in transforms.transforms {
            try await opener.open("transform \(type(of: transform).name)") { try await transform.open() }
        }
        if case .sink(let sink) = target {
            try await opener.open("sink \(type(of: sink).name)") { try await sink.open() }
        }
        state.withLock { $0.isOpen = true }
    }

    /// The partitions of the group's topics, as the log has them now.
    func currentPartitions() -> [Partition] {
        settings.topics.compactMap { log.topic($0) }.flatMap { topic in
            (0..<PartitionID(topic.partitions)).map { partition in
                Partition(
                    place: GroupPartition(
                        group: settings.name, topic: topic.name, incarnation: topic.incarnation, partition: partition),
                    progress: PartitionProgress(),
                    metrics: GroupMetrics(
                        registry: registry, group: settings.name, topic: topic.name, partition: partition))
            }
        }
    }

    /// Starts a worker for each partition, unless the group stops.
    func startWorkers() {
        let partitions = currentPartitions()
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
    func endWorkers() async {
        let workers = state.withLock { $0.workers }
        workers?.cancel()
        await workers?.value
        health.forget()
        await committer.flush()
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
