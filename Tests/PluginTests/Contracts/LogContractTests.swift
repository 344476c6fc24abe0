import Martlet
import MartletTesting
import Pipelines
import TestSupport
import Testing

@Suite struct LogContractTests {
    enum LogFlaw: String, Flaw {
        case none, closeHangs, forgetsOnRestart, takesWhileClosed, losesAnEvent, wrongPlaces, losesHeaders, ignoresFrom, readsEverything
        case hidesRange, waitsForEver, ignoresCancel, ignoresMarks, mixesPartitionsOffsets, forgetsOffsets, allowsFewerPartitions, hidesUnknownTopic

        var broken: String? {
            switch self {
            case .none: nil
            case .closeHangs, .forgetsOnRestart, .takesWhileClosed: "closed at any time"
            case .losesAnEvent, .wrongPlaces, .losesHeaders: "whole, at the places that were answered"
            case .ignoresFrom: "the first offset of a read from 20"
            case .readsEverything: "a read of 1 byte"
            case .hidesRange: "did not throw OffsetOutOfRange"
            case .waitsForEver: "returns when there is a record"
            case .ignoresCancel: "a wait in a cancelled task"
            case .ignoresMarks: "appended once"
            case .mixesPartitionsOffsets: "the other partition's"
            case .forgetsOffsets: "the offset of g"
            case .allowsFewerPartitions: "3 partitions became 1"
            case .hidesUnknownTopic: "an unknown topic took an event"
            }
        }
    }

    @Test(arguments: LogFlaw.allCases) func aFlawIsSeen(_ flaw: LogFlaw) async throws {
        let folder = try TemporaryFolder()
        await expectBroken(flaw) {
            try await LogContract.verify(patience: .seconds(flaw == .none ? 10 : 2)) { store in
                FlawedLog(flaw, try Self.embedded("\(folder.path)/\(store)"))
            }
        }
    }

    /// A log of the real engine. What is not synced is enough for a process that goes on.
    static func embedded(_ directory: String) throws -> EmbeddedEventLog {
        EmbeddedEventLog(
            directory: directory, config: try LogConfig(json: #"{"acknowledge": "written", "min_free_bytes": 0}"#), journalBytes: 16 << 20,
            metrics: MetricsRegistry(), logger: Logger(output: LogOutput(minimum: .error, format: .text) { _ in }))
    }
}

/// The real log, but for one flaw.
private final class FlawedLog: EventLog {
    private let flaw: LogContractTests.LogFlaw
    private let log: EmbeddedEventLog

    init(_ flaw: LogContractTests.LogFlaw, _ log: EmbeddedEventLog) {
        self.flaw = flaw
        self.log = log
    }

    var maxEventBytes: Int { log.maxEventBytes }

    func open() async throws { try await log.open() }

    func ensureTopic(_ name: TopicName, _ settings: TopicSettings) async throws -> TopicInfo {
        if flaw == .allowsFewerPartitions, let known = log.topic(name), known.partitions > settings.partitions { return known }
        let info = try await log.ensureTopic(name, settings)
        return flaw == .forgetsOnRestart ? TopicInfo(name: name, partitions: info.partitions, incarnation: EventID.generate().string) : info
    }

    func topic(_ name: TopicName) -> TopicInfo? { log.topic(name) }
    func topics() -> [TopicInfo] { log.topics() }

    func append(
        _ events: [Event], to topic: TopicName, mark: ProducerMark?,
        completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) {
        var events = events
        if flaw == .losesAnEvent, events.count > 100 { events.remove(at: 50) }
        if flaw == .losesHeaders { for index in events.indices { events[index].headers = [] } }
        log.append(events, to: topic, mark: flaw == .ignoresMarks ? nil : mark) { [flaw] result in
            switch (flaw, result) {
            case (.takesWhileClosed, .failure(let error)) where error.kind == .transient: completion(.success([]))
            case (.hidesUnknownTopic, .failure(let error)) where error.kind == .blocked: completion(.success([]))
            case (.wrongPlaces, .success(let places)):
                completion(.success(places.map { RecordPlace(partition: $0.partition, offset: $0.offset + 1) }))
            default: completion(result)
            }
        }
    }

    func read(topic: TopicName, partition: PartitionID, from offset: Offset, maxBytes: Int) async throws -> [Record] {
        if flaw == .ignoresFrom, offset == 20 {
            return try await log.read(topic: topic, partition: partition, from: 0, maxBytes: maxBytes)
        }
        let bytes = flaw == .readsEverything ? 1 << 20 : maxBytes
        do {
            return try await log.read(topic: topic, partition: partition, from: offset, maxBytes: bytes)
        } catch let error as OffsetOutOfRange {
            if flaw == .hidesRange { return [] }
            throw error
        }
    }

    func waitForRecord(topic: TopicName, partition: PartitionID, at offset: Offset) async throws {
        if flaw == .waitsForEver || (flaw == .ignoresCancel && Task.isCancelled) { await hang() }
        try await log.waitForRecord(topic: topic, partition: partition, at: offset)
    }

    func offsets(topic: TopicName, partition: PartitionID) throws -> Range<Offset> {
        try log.offsets(topic: topic, partition: partition)
    }

    func offset(topic: TopicName, partition: PartitionID, at timestamp: Int64) async throws -> Offset {
        try await log.offset(topic: topic, partition: partition, at: timestamp)
    }

    func committedOffset(group: GroupName, topic: TopicName, partition: PartitionID) async throws -> Offset? {
        try await log.committedOffset(group: group, topic: topic, partition: flaw == .mixesPartitionsOffsets ? 0 : partition)
    }

    func commit(group: GroupName, topic: TopicName, partition: PartitionID, offset: Offset) async throws {
        if flaw == .forgetsOffsets { return }
        try await log.commit(group: group, topic: topic, partition: flaw == .mixesPartitionsOffsets ? 0 : partition, offset: offset)
    }

    func committedGroups() async throws -> [GroupName] { try await log.committedGroups() }

    func close() async {
        if flaw == .closeHangs { await hang() }
        await log.close()
    }
}
