import Martlet
import Synchronization
import TestSupport
import Testing

@testable import Pipelines

/// Appends over a wire that loses requests and answers, to a real log.
struct RemoteAppenderTests {
    /// What becomes of one request.
    private enum Fate: Sendable {
        case answered
        case requestLost
        case answerLost
        case refused(ModuleError)
    }

    private final class Wire: Sendable {
        private let fates: Mutex<[Fate]>
        private let bodies = Mutex<[Bytes]>([])
        let log: EmbeddedEventLog

        init(_ fates: [Fate], to log: EmbeddedEventLog) {
            self.fates = Mutex(fates)
            self.log = log
        }

        /// The requests so far.
        var requests: [Bytes] { bodies.withLock { $0 } }

        func send(_ body: Bytes, _ topic: TopicName) async throws -> [RecordPlace] {
            bodies.withLock { $0.append(body) }
            let lost = ModuleError.transient("log.remote_away", "the wire is cut")
            switch fates.withLock({ $0.isEmpty ? .answered : $0.removeFirst() }) {
            case .answered: return try await deliver(body, topic)
            case .requestLost: throw lost
            case .answerLost:
                _ = try await deliver(body, topic)
                throw lost
            case .refused(let error): throw error
            }
        }

        func deliver(_ body: Bytes, _ topic: TopicName) async throws -> [RecordPlace] {
            try await log.append(LogAppendBody(decoding: body), to: topic)
        }
    }

    private let folder: TemporaryFolder
    private let log: EmbeddedEventLog
    private let metrics = MetricsRegistry()

    init() async throws {
        folder = try TemporaryFolder()
        log = EmbeddedEventLog(directory: folder.path, config: try LogConfig(json: "{}"), metrics: metrics, logger: .silent)
        try await log.open()
        _ = try await log.ensureTopic("t", settings(partitions: 3))
    }

    private func settings(partitions: Int, _ deduplication: TopicSettings.Deduplication? = nil) -> TopicSettings {
        TopicSettings(
            partitions: partitions, retentionMilliseconds: nil, retentionBytes: nil, segmentBytes: 1 << 20, cleanup: .delete,
            compression: .lz4, deduplication: deduplication)
    }

    private func appender(_ wire: Wire, partitions: Int = 3) -> RemoteAppender {
        RemoteAppender(retryTime: .seconds(10)) { body, _, topic in
            try await wire.send(body, topic)
        } countPartitions: { _ in
            wire.requests.isEmpty ? partitions : 3
        }
    }

    private func append(_ events: [Event], _ appender: RemoteAppender, mark: ProducerMark? = nil) async throws -> [RecordPlace] {
        try await withCheckedThrowingContinuation { continuation in
            appender.append(events, to: "t", mark: mark) { continuation.resume(with: $0) }
        }
    }

    private func events(_ numbers: Range<Int>) -> [Event] {
        numbers.map { Event.sample("\($0)", key: $0 % 5 == 0 ? nil : "key-\($0 % 7)") }
    }

    /// Everything in the log, by place.
    private func contents() async throws -> [RecordPlace: String] {
        var found: [RecordPlace: String] = [:]
        for partition in 0..<PartitionID(3) {
            for record in try await log.read(topic: "t", partition: partition, from: 0, maxBytes: 1 << 20) {
                found[RecordPlace(partition: partition, offset: record.offset)] = record.text
            }
        }
        return found
    }

    private func check(_ places: [RecordPlace], _ events: [Event]) async throws {
        let contents = try await contents()
        #expect(contents.count == events.count)
        #expect(places.map { contents[$0] ?? "nothing" } == events.map { $0.payload.string })
    }

    @Test func aRequestWhoseAnswerIsLostIsSentAgainAndKeptOnce() async throws {
        let wire = Wire([.answerLost, .requestLost, .answered, .requestLost, .answerLost], to: log)
        let appender = appender(wire)
        let events = events(0..<40)
        var places = try await append(Array(events[..<25]), appender)
        places += try await append(Array(events[25...]), appender)
        try await check(places, events)
        #expect(wire.requests.count == 6)
        #expect(wire.requests[0] == wire.requests[2] && wire.requests[3] == wire.requests[5])
        #expect(metrics.render().contains(#"martlet_log_duplicate_events_total{topic="t",by="sequence"} 40"#))
        await log.close()
    }

    @Test func whatComesTooLateIsFencedOff() async throws {
        let wire = Wire([.requestLost, .requestLost, .requestLost], to: log)
        let appender = appender(wire)
        let lost = [Event.sample("lost", key: "k")]
        await #expect(throws: ModuleError.self) { try await append(lost, appender) }
        #expect(wire.requests.count == RemoteAppender.attempts)
        let events = [Event.sample("kept", key: "k")]
        let places = try await append(events, appender)
        let error = await #expect(throws: ModuleError.self) { try await wire.deliver(wire.requests[0], "t") }
        #expect(error?.code == "log.producer_fenced" && error?.kind == .permanent)
        try await check(places, events)
        await log.close()
    }

    @Test func aRefusalIsNotTriedAgain() async throws {
        let wire = Wire([.answered, .refused(.transient("log.overloaded", "too much"))], to: log)
        let appender = appender(wire)
        let events = [Event.sample("1"), Event.sample("2"), Event.sample("3")]
        var places = try await append([events[0]], appender)
        let error = await #expect(throws: ModuleError.self) { try await append([events[1]], appender) }
        #expect(error?.code == "log.overloaded")
        #expect(wire.requests.count == 2)
        places += try await append([events[1], events[2]], appender)
        try await check(places, events)
        await log.close()
    }

    @Test func otherPartitionsThanItKnewAreAskedForAnew() async throws {
        let wire = Wire([], to: log)
        let appender = appender(wire, partitions: 2)
        let events = events(0..<20)
        let places = try await append(events, appender)
        #expect(wire.requests.count == 2)
        try await check(places, events)
        for (event, place) in zip(events, places) where event.key != nil {
            #expect(place.partition == KafkaPartitioner.partition(of: event.key ?? .empty, count: 3))
        }
        await log.close()
    }

    @Test func rowsOfAMarkAreSentAgainAndKeptOnce() async throws {
        let wire = Wire([.answerLost], to: log)
        let appender = appender(wire)
        let events = events(0..<12)
        let rows = events.indices.map { Int64($0) + 100 }
        _ = try await append(events, appender, mark: ProducerMark(producerID: 3, rows: rows))
        #expect(wire.requests.count == 2)
        #expect(try await contents().count == 12)
        #expect(metrics.render().contains(#"martlet_log_duplicate_events_total{topic="t",by="row"} 12"#))
        await log.close()
    }

    @Test func aTopicThatKeepsEventsOnceAnswersWithTheFirstPlace() async throws {
        _ = try await log.ensureTopic("t", settings(partitions: 3, .init(windowEvents: 100, windowMilliseconds: 60_000)))
        let appender = appender(Wire([.answerLost], to: log))
        let events = events(0..<20)
        let places = try await append(events, appender)
        let more = [events[3], Event.sample("new", key: "key-3"), events[5], events[3]]
        let morePlaces = try await append(more, appender)
        #expect([0, 2, 3].map { morePlaces[$0] } == [places[3], places[5], places[3]])
        // The same from this process.
        #expect(try await log.append([events[7], events[0]], to: "t") == [places[7], places[0]])
        try await check(places + [morePlaces[1]], events + [more[1]])
        #expect(metrics.render().contains(#"martlet_log_duplicate_events_total{topic="t",by="event_id"} 5"#))
        await log.close()
    }

    @Test func bodiesThatAreNoneAreRefused() async throws {
        let wire = Wire([], to: log)
        _ = try await append(events(0..<9), appender(wire), mark: ProducerMark(producerID: 1, rows: Array(0..<9)))
        let body = wire.requests[0].withUnsafeBytes { Array($0) }
        for cut in 0..<body.count {
            let error = #expect(throws: ModuleError.self) { try LogAppendBody(decoding: Bytes(Array(body[..<cut]))) }
            #expect(error?.code == "log.bad_append" && error?.kind == .permanent)
        }
        var flipped = body
        flipped[body.count - 3] ^= 1
        let error = #expect(throws: ModuleError.self) { try LogAppendBody(decoding: Bytes(flipped)) }
        #expect(error?.message.contains("log.checksum_mismatch") == true)
        await log.close()
    }
}
