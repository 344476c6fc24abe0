/// A topic's folder as it was found.
struct SurveyedTopic {
    let name: String
    let directory: String
    /// `nil` if the topic file is lost and nothing tells.
    var incarnation: UUIDBytes?
    var configuration: TopicConfiguration
    /// Whether the topic file has to be written anew.
    var lostFile: Bool
}

/// The folders of a log's root.
struct TopicSurvey {
    private(set) var topics: [SurveyedTopic] = []
    private(set) var deleted: Set<UUIDBytes> = []
    private(set) var findings: [LogFinding] = []
    private(set) var notes: [String] = []
    /// Names that are neither a topic nor one of the log's own.
    private(set) var strangers: [String] = []

    init(_ storage: any LogStorage, _ paths: LogPaths) throws(LogError) {
        for name in try storage.list(paths.root).sorted() {
            if name.hasPrefix("~creating-") {
                notes.append("\(paths.root)/\(name) is left over from the creation of a topic; the next start removes it")
            } else if name.hasPrefix("~deleted-") {
                if let incarnation = UUIDBytes(text: String(name.dropFirst("~deleted-".count))) { deleted.insert(incarnation) }
            } else if TopicFile.isValidTopicName(name) {
                try look(name, storage, paths.topic(name))
            }
        }
    }

    private mutating func look(_ name: String, _ storage: any LogStorage, _ directory: String) throws(LogError) {
        let path = directory + "/" + TopicFile.name
        var problem = "the folder has no topic file"
        if let size = try storage.size(path) {
            let bytes = try storage.open(path, create: false).readBytes(count: Int(size), at: 0)
            do throws(LogError) {
                let (written, incarnation, configuration) = try TopicFile.decode(bytes, path: path)
                if written == name {
                    topics.append(
                        SurveyedTopic(name: name, directory: directory, incarnation: incarnation, configuration: configuration, lostFile: false))
                    return
                }
                problem = "the file is that of topic \"\(written)\""
            } catch {
                if error.code == .unsupportedVersion, TopicFile.hasItsChecksum(bytes) { throw error }
                problem = "the topic file is damaged"
            }
        }
        let numbers = try storage.list(directory).compactMap { Int($0) }
        guard let last = numbers.max(), last < EmbeddedLog.maxPartitions else {
            strangers.append(name)
            findings.append(
                LogFinding(
                    subject: .topic, path: directory, problem: "this is not a topic's folder", remedy: "it is put aside as ~stray-\(name)"))
            return
        }
        let cleanup = name.hasPrefix("__") ? Cleanup.compact : .delete
        topics.append(
            SurveyedTopic(
                name: name, directory: directory, incarnation: nil, configuration: TopicConfiguration(partitions: last + 1, cleanup: cleanup),
                lostFile: true))
        findings.append(
            LogFinding(
                subject: .topic, path: path, problem: problem,
                remedy: "it is written anew with \(last + 1) partition\(last == 0 ? "" : "s"); the host's next start applies the config's settings, and "
                    + "knows no event ids of before"))
    }

    /// Gives topics without a file the identities that checkpoint and journal know and no other topic has.
    mutating func identify(_ rows: [Checkpoint.Row], _ parts: [JournalSurvey.Part], _ storage: any LogStorage) throws(LogError) {
        for index in topics.indices where topics[index].incarnation == nil {
            let known = Set(topics.compactMap(\.incarnation)).union(deleted)
            let orphans = Set(rows.map(\.incarnation) + parts.filter { !$0.isDoubtful }.map(\.incarnation)).subtracting(known)
            var fitting: [UUIDBytes] = []
            for orphan in orphans where try fits(topics[index], rows.filter { $0.incarnation == orphan }, storage) { fitting.append(orphan) }
            if fitting.count == 1 {
                topics[index].incarnation = fitting[0]
            } else {
                topics[index].incarnation = .random()
                notes.append("topic \(topics[index].name) gets a new identity: groups have no offsets in it any more")
            }
        }
        for index in topics.indices {
            let topic = topics[index]
            let numbers = rows.lazy.filter { $0.incarnation == topic.incarnation }.map(\.partition)
                + parts.lazy.filter { $0.incarnation == topic.incarnation && !$0.isDoubtful }.map(\.partition)
            guard let last = numbers.max(), last >= topic.configuration.partitions, last < EmbeddedLog.maxPartitions else { continue }
            topics[index].configuration.partitions = Int(last) + 1
            topics[index].lostFile = true
            findings.append(
                LogFinding(
                    subject: .topic, path: topic.directory + "/" + TopicFile.name, problem: "the topic file counts "
                        + "\(topic.configuration.partitions) partitions, and there are records of partition \(last)",
                    remedy: "it is written anew with \(last + 1) partitions"))
        }
    }

    private func fits(_ topic: SurveyedTopic, _ rows: [Checkpoint.Row], _ storage: any LogStorage) throws(LogError) -> Bool {
        for row in rows {
            guard row.partition < topic.configuration.partitions else { return false }
            let path = topic.directory + "/\(row.partition)/" + Segment.name(row.segmentBase) + ".log"
            if row.segmentSize > 0, try storage.size(path) ?? 0 < row.segmentSize { return false }
        }
        return true
    }
}
