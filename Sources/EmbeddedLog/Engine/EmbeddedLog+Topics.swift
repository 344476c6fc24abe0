import Synchronization

extension EmbeddedLog {
    /// Largest number of partitions of one topic.
    package static let maxPartitions = 10_000
    /// Largest number of event ids that a topic's window knows.
    package static let maxWindowEvents = 1_000_000

    /// Creates a topic, or brings an existing one to these settings. Partitions may be added: keys move
    /// then, and the order of one key holds within what was written before and after. Durable on return.
    /// - Throws: `invalidTopic`, `fewerPartitions`, and errors of the disk.
    @discardableResult
    package func ensureTopic(_ name: String, _ configuration: TopicConfiguration) throws(LogError) -> TopicDescription {
        try check(name, configuration)
        if name.hasPrefix("__") {
            throw LogError(.invalidTopic, "topic names with two leading underscores, such as \"\(name)\", are the log's own")
        }
        return try changeTopics { () throws(LogError) in try ensure(name, configuration) }
    }

    /// All topics, by name. The log's own start with two underscores.
    package func topics() -> [TopicDescription] {
        allTopics.map(\.description)
    }

    /// By name: what goes through all of them does so in the same order each time.
    var allTopics: [TopicLog] { registry.withLock { Array($0.values) }.sorted { $0.name < $1.name } }

    /// Deletes a topic with its records and the offsets that groups have in it. Reads and appends on it
    /// fail with `unknownTopic` from then on; chunks already read stay valid. Blocks until durable.
    package func deleteTopic(_ name: String) throws(LogError) {
        try changeTopics { () throws(LogError) in
            guard let topic = registry.withLock({ $0[name] }) else { throw LogError(.unknownTopic, "there is no topic \"\(name)\"") }
            if topic.isInternal { throw LogError(.invalidTopic, "topic \"\(name)\" is the log's own and stays") }
            // Once this ran, no cycle holds records of the topic any more.
            try runBetweenCycles { topic.setDeleted(true) }
            do throws(LogError) {
                try flusherTurn.withLock { _ throws(LogError) in
                    // The folder's new name is what a recovery goes by: from here on the topic is deleted.
                    try storage.rename(topic.directory, to: paths.deleted(topic.incarnation))
                    try storage.syncDirectory(paths.root)
                    registry.withLock { _ = $0.removeValue(forKey: name) }
                    for partition in topic.partitions {
                        files.drop(partition)
                        newFiles.withLock { _ = $0.remove(partition.directory) }
                    }
                }
            } catch {
                topic.setDeleted(false)
                throw error
            }
            for partition in topic.partitions { partition.wakeAll() }
            forgetOffsets(ofTopic: name)
            deletedTopics.withLock { $0.append(topic.incarnation) }
        }
        flush.withLock { $0.wantsCheckpoint = true }
        if runsThreads { flush.signalAll() }
    }

    /// Runs a change of topics, one at a time.
    private func changeTopics<Result>(_ body: () throws(LogError) -> Result) throws(LogError) -> Result {
        try topicChanges.withLock { _ throws(LogError) in try body() }
    }

    /// Runs `body` on the commit thread while no cycle is under way, and waits for it.
    func runBetweenCycles(_ body: @escaping @Sendable () -> Void) throws(LogError) {
        guard runsThreads else { return body() }
        let done = Monitor(false)
        var item = QueuedAppend()
        item.control = {
            body()
            done.withLock { $0 = true }
            done.signalAll()
        }
        try enqueue(item)
        done.wait { $0 ? () : nil }
    }

    /// Creates or changes a topic without the rules for names from outside.
    @discardableResult
    func ensure(_ name: String, _ configuration: TopicConfiguration) throws(LogError) -> TopicDescription {
        if let existing = registry.withLock({ $0[name] }) {
            let found = existing.configuration
            if configuration.partitions < found.partitions {
                throw LogError(
                    .fewerPartitions,
                    "topic \"\(name)\" has \(found.partitions) partitions on disk, and \(configuration.partitions) are asked for; partitions "
                        + "cannot be taken away: keep \(found.partitions), or use a new topic", path: existing.directory)
            }
            if found != configuration {
                try writeTopic(existing.name, existing.incarnation, configuration, in: existing.directory, from: found.partitions)
                existing.setConfiguration(configuration)
                if found.deduplication == nil, configuration.deduplication != nil { try beginWindow(of: existing) }
            }
            return existing.description
        }
        let topic = TopicLog(name: name, incarnation: .random(), directory: paths.topic(name), configuration: configuration)
        let unfinished = paths.creating(name)
        try storage.remove(unfinished)
        try storage.createDirectory(unfinished)
        try writeTopic(name, topic.incarnation, configuration, in: unfinished, from: 0)
        try storage.rename(unfinished, to: topic.directory)
        try storage.syncDirectory(paths.root)
        registry.withLock { $0[name] = topic }
        return topic.description
    }

    /// Writes the folders of new partitions, then the topic file that counts them.
    private func writeTopic(
        _ name: String, _ incarnation: UUIDBytes, _ configuration: TopicConfiguration, in directory: String, from existing: Int
    ) throws(LogError) {
        for number in existing..<max(existing, configuration.partitions) { try storage.createDirectory("\(directory)/\(number)") }
        // The file must not count a folder whose name could still be lost.
        try storage.syncDirectory(directory)
        let path = directory + "/" + TopicFile.name
        try storage.remove(path + ".new")
        let file = try storage.open(path + ".new", create: true)
        try file.write(bytes: TopicFile.encode(name: name, incarnation: incarnation, configuration), at: 0)
        try file.sync()
        try storage.rename(path + ".new", to: path)
        try storage.syncDirectory(directory)
    }

    private func check(_ name: String, _ configuration: TopicConfiguration) throws(LogError) {
        guard TopicFile.isValidTopicName(name) else {
            throw LogError(.invalidTopic, "\"\(name)\" is not a topic name; use 1 to 249 letters, digits, dots, underscores and dashes")
        }
        guard (1...Self.maxPartitions).contains(configuration.partitions) else {
            throw LogError(
                .invalidTopic, "topic \"\(name)\" asks for \(configuration.partitions) partitions; 1 to \(Self.maxPartitions) are possible")
        }
        if let bytes = configuration.segmentBytes, !(4096...(1 << 30)).contains(bytes) {
            throw LogError(.invalidTopic, "topic \"\(name)\" asks for segments of \(bytes) bytes; 4096 to \(1 << 30) are possible")
        }
        if let window = configuration.deduplication, !(1...Self.maxWindowEvents).contains(window.events) || window.milliseconds < 1 {
            throw LogError(
                .invalidTopic, "topic \"\(name)\" asks for a window of \(window.events) events and \(window.milliseconds) ms; 1 to "
                    + "\(Self.maxWindowEvents) events and at least 1 ms are possible")
        }
    }
}
