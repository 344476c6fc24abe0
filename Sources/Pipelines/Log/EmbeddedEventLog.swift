import EmbeddedLog
package import Martlet
import Synchronization

/// The embedded engine behind the SDK's ``EventLog``.
///
/// An event's id is kept as the record header ``idHeader``, before the event's own headers.
package final class EmbeddedEventLog: EventLog {
    /// The record header that holds an event's id.
    static let idHeader = RecordHeader.eventID

    package let maxEventBytes: Int
    private let configuration: LogConfiguration
    private let engine = Mutex<EmbeddedLog?>(nil)
    /// The topics by name, so that the hot path copies no list.
    private let known = Mutex<[TopicName: TopicInfo]>([:])
    private let spreader = KeylessSpreader()
    private let duplicates: DuplicateCounters
    private let indexer = Mutex<KeyIndexer?>(nil)
    private let logger: Logger

    /// - Parameter journalBytes: the journal's size; nil for the usual one.
    package init(directory: String, config: LogConfig, journalBytes: Int? = nil, metrics: MetricsRegistry, logger: Logger) {
        var configuration = LogConfiguration(
            directory: directory, acknowledge: config.acknowledge == .fsync ? .fsync : .written,
            minFreeBytes: Int64(config.minFreeBytes), maxQueuedBytes: config.maxQueuedBytes,
            // Whatever was taken can also become a dead letter.
            maxRecordBytes: config.maxRecordBytes + DeadLetters.headerBytes)
        if let journalBytes { configuration.journalBytes = journalBytes }
        self.configuration = configuration
        maxEventBytes = config.maxRecordBytes
        duplicates = DuplicateCounters(metrics)
        self.logger = logger
    }

    func openedWithIndexer() throws(ModuleError) -> (EmbeddedLog, KeyIndexer) {
        let log = try opened()
        guard let indexer = indexer.withLock({ $0 }) else { throw .transient("log.not_open", "the log is not open") }
        return (log, indexer)
    }

    /// The open engine.
    private func opened() throws(ModuleError) -> EmbeddedLog {
        guard let log = engine.withLock({ $0 }) else {
            throw .transient("log.not_open", "the log is not open")
        }
        return log
    }

    // MARK: Life

    package func open() async throws {
        let log = try await BlockingWork.run { [configuration] in
            try UnrecoveredLog(configuration).recover()
        }
        engine.withLock { $0 = log }
        let made = KeyIndexer(log, directory: configuration.directory + "/key-index", logger: logger)
        indexer.withLock { $0 = made }
        for description in log.topics() { remember(TopicInfo(description)) }
    }

    package func close() async {
        let closing = indexer.withLock { indexer in
            defer { indexer = nil }
            return indexer
        }
        await closing?.close()
        let log = engine.withLock { engine in
            defer { engine = nil }
            return engine
        }
        guard let log else { return }
        try? await BlockingWork.run { log.close() }
    }

    // MARK: Topics

    package func ensureTopic(_ name: TopicName, _ settings: TopicSettings) async throws -> TopicInfo {
        let log = try opened()
        let info = try await BlockingWork.run {
            try TopicInfo(
                log.ensureTopic(
                    name.text,
                    TopicConfiguration(
                        partitions: settings.partitions, retentionMilliseconds: settings.retentionMilliseconds,
                        retentionBytes: settings.retentionBytes, segmentBytes: settings.segmentBytes,
                        cleanup: settings.cleanup == .delete ? .delete : .compact, compression: Compression(settings.compression),
                        deduplication: settings.deduplication.map {
                            DeduplicationWindow(events: $0.windowEvents, milliseconds: $0.windowMilliseconds)
                        })))
        }
        remember(info)
        return info
    }

    private func remember(_ info: TopicInfo) {
        known.withLock { $0[info.name] = info }
    }

    package func topic(_ name: TopicName) -> TopicInfo? {
        known.withLock { $0[name] }
    }

    package func topics() -> [TopicInfo] {
        known.withLock { Array($0.values) }.filter { !$0.name.text.hasPrefix("__") }.sorted { $0.name.text < $1.name.text }
    }

    // MARK: Appending

    package func append(
        _ events: [Event], to topic: TopicName, mark: Martlet.ProducerMark?,
        completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
    ) {
        let log: EmbeddedLog
        let encoded: EncodedAppend
        do throws(ModuleError) {
            log = try opened()
            guard let info = self.topic(topic) else {
                throw .blocked("log.unknown_topic", "the log has no topic \(topic); add it to `topics`")
            }
            encoded = EncodedAppend(events, partitions: info.partitions, mark: mark, spreader: spreader)
        } catch {
            return completion(.failure(error))
        }
        log.append(encoded.appends(topic.text, mark: mark)) { [layout = encoded.layout, duplicates] result in
            if case .success(let receipts) = result { duplicates.note(receipts, of: topic) }
            completion(result.map { layout.places($0) }.mapError { ModuleError($0) })
        }
    }

    /// Appends what another host sent; the places are those of its records, one part after the other.
    ///
    /// Errors as ``append(_:to:mark:completion:)``; `log.partitions_changed`, transient, if the sender counts other partitions
    /// than there are; `log.out_of_order_sequence` and `log.producer_fenced`, permanent.
    package func append(_ body: LogAppendBody, to topic: TopicName) async throws -> [RecordPlace] {
        let log = try opened()
        let partitions = self.topic(topic)?.partitions ?? 0
        guard body.partitions == partitions else {
            throw ModuleError.transient(
                "log.partitions_changed", "topic \(topic) has \(partitions) partitions, and the sender counts \(body.partitions)")
        }
        let appends = body.parts.map { part in
            PartitionAppend(
                topic: topic.text, partition: part.partition, records: part.batch,
                producer: body.markProducerID < 0 ? nil : LogMark(producerID: body.markProducerID, rows: part.rows))
        }
        let receipts: [AppendReceipt] = try await withCheckedThrowingContinuation { continuation in
            log.append(appends) { result in continuation.resume(with: result.mapError { ModuleError($0) }) }
        }
        duplicates.note(receipts, of: topic)
        return zip(body.parts, receipts).flatMap { part, receipt in
            (0..<part.batch.recordCount).map { RecordPlace(receipt.place(of: $0, in: part.partition)) }
        }
    }

    // MARK: Reading

    package func read(
        topic: TopicName, partition: PartitionID, from offset: Offset, maxBytes: Int
    ) async throws -> [Record] {
        let log = try opened()
        do throws(LogError) {
            if let chunk = try log.readFromMemory(topic.text, partition: partition, from: offset, maxBytes: maxBytes) {
                return try RecordDecoder.records(in: chunk, topic: topic, partition: partition)
            }
        } catch {
            throw Self.readError(error, at: offset)
        }
        return try await BlockingWork.run {
            do throws(LogError) {
                let chunk = try log.read(topic.text, partition: partition, from: offset, maxBytes: maxBytes)
                return try RecordDecoder.records(in: chunk, topic: topic, partition: partition)
            } catch {
                throw Self.readError(error, at: offset)
            }
        }
    }

    static func readError(_ error: LogError, at offset: Offset) -> any Error {
        if case .offsetOutOfRange(let start, let end) = error.code { return OffsetOutOfRange(offset: offset, available: start..<end) }
        return ModuleError(error)
    }

    /// Whole record batches from `offset` on, as they lie on disk (compressed ones too), with what the partition holds; for other hosts.
    /// Throws as ``read(topic:partition:from:maxBytes:)``.
    package func readBatches(
        topic: TopicName, partition: PartitionID, from offset: Offset, maxBytes: Int
    ) async throws -> (bytes: Bytes, available: Range<Offset>) {
        let log = try opened()
        return try await BlockingWork.run {
            do throws(LogError) {
                let chunk = try log.readStored(try log.partition(topic.text, partition), from: offset, maxBytes: maxBytes)
                let bytes = chunk.withBytes { bytes in
                    bytes.baseAddress.map { Bytes(unsafeOwner: chunk, start: $0, count: bytes.count) } ?? .empty
                }
                let start = try log.startOffset(topic.text, partition)
                return (bytes, start..<max(start, try log.endOffset(topic.text, partition)))
            } catch {
                throw Self.readError(error, at: offset)
            }
        }
    }

    package func waitForRecord(topic: TopicName, partition: PartitionID, at offset: Offset) async throws {
        let log = try opened()
        let waiter = RecordWaiter()
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                waiter.begin(continuation) {
                    try log.onData(topic.text, partition: partition, from: offset) { waiter.finish(.success(())) }
                }
            }
        } onCancel: {
            waiter.finish(.failure(CancellationError()))
        }
    }

    package func offsets(topic: TopicName, partition: PartitionID) throws -> Range<Offset> {
        let log = try opened()
        do throws(LogError) {
            let start = try log.startOffset(topic.text, partition)
            return start..<max(start, try log.endOffset(topic.text, partition))
        } catch {
            throw ModuleError(error)
        }
    }

    package func offset(topic: TopicName, partition: PartitionID, at timestamp: Int64) async throws -> Offset {
        let log = try opened()
        return try await BlockingWork.run {
            try log.offset(topic.text, partition, atOrAfter: timestamp) ?? log.endOffset(topic.text, partition)
        }
    }

    // MARK: Groups

    package func committedOffset(group: GroupName, topic: TopicName, partition: PartitionID) async throws -> Offset? {
        try opened().committedOffset(group: group.text, topic: topic.text, partition: partition)
    }

    package func commit(group: GroupName, topic: TopicName, partition: PartitionID, offset: Offset) async throws {
        let log = try opened()
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            log.commitOffsets(group: group.text, [(topic: topic.text, partition: partition, offset: offset)]) { result in
                continuation.resume(with: result.mapError { ModuleError($0) })
            }
        }
    }

    package func committedGroups() async throws -> [GroupName] {
        try opened().groups().map { GroupName($0.name) }
    }
}

extension TopicInfo {
    fileprivate init(_ description: TopicDescription) {
        self.init(
            name: TopicName(description.name), partitions: description.partitions, incarnation: description.incarnation)
    }
}

extension Compression {
    fileprivate init(_ setting: TopicSettings.Compression) {
        switch setting {
        case .none: self = .none
        case .lz4: self = .lz4
        case .zstd: self = .zstd
        }
    }
}
