import Synchronization

/// A topic: its identity, settings and partitions.
final class TopicLog: Sendable {
    struct State {
        var configuration: TopicConfiguration
        var partitions: [PartitionLog] = []
    }

    let name: String
    let incarnation: UUIDBytes
    let directory: String
    let state: Mutex<State>
    let commit = TopicCommitState()

    init(name: String, incarnation: UUIDBytes, directory: String, configuration: TopicConfiguration) {
        self.name = name
        self.incarnation = incarnation
        self.directory = directory
        state = Mutex(State(configuration: configuration))
        setPartitions(configuration.partitions)
    }

    var configuration: TopicConfiguration { state.withLock { $0.configuration } }
    var partitions: [PartitionLog] { state.withLock { $0.partitions } }

    var description: TopicDescription {
        TopicDescription(name: name, incarnation: incarnation.text, configuration: configuration)
    }

    func partition(_ number: Int32) -> PartitionLog? {
        state.withLock { $0.partitions.indices.contains(Int(number)) ? $0.partitions[Int(number)] : nil }
    }

    /// Whether it is one of the log's own, which appends from outside may not touch.
    var isInternal: Bool { name.hasPrefix("__") }

    func setPartitions(_ count: Int) {
        let existing = partitions.count
        guard existing < count else { return }
        let added = (existing..<count).map { PartitionLog(topic: self, number: Int32($0)) }
        state.withLock { $0.partitions += added }
    }

    func setConfiguration(_ configuration: TopicConfiguration) {
        state.withLock { $0.configuration = configuration }
        setPartitions(configuration.partitions)
    }

    func setDeleted(_ deleted: Bool) {
        for partition in partitions { partition.state.withLock { $0.deleted = deleted } }
    }
}
