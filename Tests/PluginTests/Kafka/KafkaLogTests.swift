import CRdKafka
import KafkaPlugin
import Martlet
import MartletTesting
import Pipelines
import TestSupport
import Testing

/// What the contract does not ask for, over the mock cluster.
@Suite struct KafkaLogTests {
    static let settings = TopicSettings(partitions: 1, retentionMilliseconds: nil, retentionBytes: nil, segmentBytes: 1 << 20, cleanup: .delete)

    static func settings(_ partitions: Int, _ compression: TopicSettings.Compression = .none) -> TopicSettings {
        TopicSettings(
            partitions: partitions, retentionMilliseconds: nil, retentionBytes: nil, segmentBytes: 1 << 20, cleanup: .delete,
            compression: compression)
    }

    static func events(_ numbers: Range<Int>, key: Bytes? = "k", payload: Bytes? = nil) -> [Event] {
        numbers.map { Event(id: Bytes("e\($0)"), key: key, payload: payload ?? Bytes("\($0)"), timestamp: 1_700_000_000_000 + Int64($0)) }
    }

    /// An open log with the topic `t`.
    private func log(_ brokers: MockKafka, _ fields: String = "", partitions: Int = 1) async throws -> KafkaOnMock {
        let log = try KafkaOnMock(brokers, fields)
        try await log.open()
        _ = try await log.ensureTopic("t", Self.settings(partitions))
        return log
    }

    // MARK: Records

    @Test(arguments: TopicSettings.Compression.allCases)
    func anEventComesBackAsItWas(_ compression: TopicSettings.Compression) async throws {
        let log = try KafkaOnMock(try MockKafka())
        try await log.open()
        _ = try await log.ensureTopic("t", Self.settings(1, compression))
        let events = [
            Event(
                id: "0195-1", key: "bo b\n", headers: [Header("trace", "a b"), Header("martlet-id", "other"), Header("empty", "")],
                payload: Bytes(String(repeating: "x", count: 100_000)), timestamp: 1_700_000_000_123),
            Event(id: "0195-2", key: nil, payload: "", timestamp: 1),
            Event(id: "0195-3", key: "", headers: [Header("ü", "ä")], payload: "{}", timestamp: 1_900_000_000_000),
        ]
        #expect(try await log.append(events, to: "t") == (0..<3).map { RecordPlace(partition: 0, offset: $0) })
        let found = try await log.read(topic: "t", partition: 0, from: 0, maxBytes: 1 << 20)
        #expect(found.map(\.event.id) == events.map(\.id))
        #expect(found.map(\.event.key) == events.map(\.key))
        #expect(found.map(\.event.headers) == events.map(\.headers))
        #expect(found.map(\.event.payload) == events.map(\.payload))
        #expect(found.map(\.event.timestamp) == events.map(\.timestamp))
        await log.close()
    }

    @Test func aReadReturnsAboutWhatWasAskedFor() async throws {
        let log = try await log(try MockKafka())
        _ = try await log.append(Self.events(0..<1_000, payload: Bytes(String(repeating: "x", count: 1_000))), to: "t")
        var next: Offset = 0
        while next < 1_000 {
            let page = try await log.read(topic: "t", partition: 0, from: next, maxBytes: 10_000)
            #expect(page.first?.offset == next && (1...10).contains(page.count))
            next += Offset(page.count)
        }
        #expect(try await log.read(topic: "t", partition: 0, from: 1_000, maxBytes: 10_000).isEmpty)
        await log.close()
    }

    /// Each stands elsewhere, and there are more than cursors.
    @Test func manyReadersReadAtOnce() async throws {
        let log = try await log(try MockKafka())
        for start in stride(from: 0, to: 500, by: 50) { _ = try await log.append(Self.events(start..<start + 50), to: "t") }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for reader in 0..<40 {
                group.addTask {
                    var next = Offset(reader * 7)
                    while next < 500 {
                        let page = try await log.read(topic: "t", partition: 0, from: next, maxBytes: 400)
                        #expect(page.map(\.offset) == (0..<page.count).map { next + Offset($0) } && !page.isEmpty)
                        next += Offset(page.count)
                    }
                }
            }
            try await group.waitForAll()
        }
        await log.close()
    }

    @Test func recordsOfSomeKeysAreFound() async throws {
        let log = try await log(try MockKafka())
        for number in 0..<300 { _ = try await log.append(Self.events(number..<number + 1, key: Bytes("k\(number % 3)")), to: "t") }
        var next: Offset = 10
        var found: [Offset] = []
        while next < 250 {
            let page = try await log.log.read(topic: "t", partition: 0, keys: ["k1", "none"], from: next, to: 250, limit: 7)
            #expect(page.records.count <= 7 && page.next > next)
            found += page.records.map(\.offset)
            next = page.next
        }
        #expect(next == 250)
        #expect(found == (10..<250).filter { $0 % 3 == 1 })
        // At the end there is nothing to look at.
        let end = try await log.log.read(topic: "t", partition: 0, keys: ["k1"], from: 300, to: 300, limit: 7)
        #expect(end.records.isEmpty && end.next == 300)
        await log.close()
    }

    /// As groups do that are up to date: read to the end, wait, read.
    @Test func manyTailReadersSeeEachRecord() async throws {
        let brokers = try MockKafka()
        let (log, writer) = (try await log(brokers), try await log(brokers))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    var next: Offset = 0
                    while next < 60 {
                        let page = try await log.read(topic: "t", partition: 0, from: next, maxBytes: 1_000)
                        next += Offset(page.count)
                        if page.isEmpty { try await log.waitForRecord(topic: "t", partition: 0, at: next) }
                    }
                    #expect(next == 60)
                }
            }
            for number in 0..<60 { _ = try await writer.append(Self.events(number..<number + 1), to: "t") }
            try await group.waitForAll()
        }
        await log.close()
        await writer.close()
    }

    /// What this host knows to be there, a read waits for.
    @Test func aReadIsNotEmptyBeforeTheKnownEnd() async throws {
        let log = try await log(try MockKafka(), partitions: 1)
        #expect(try await log.read(topic: "t", partition: 0, from: 0, maxBytes: 100).isEmpty)
        for number in 0..<30 {
            _ = try await log.append(Self.events(number..<number + 1), to: "t")
            #expect(try await log.read(topic: "t", partition: 0, from: Offset(number), maxBytes: 100).map(\.offset) == [Offset(number)])
        }
        await log.close()
    }

    @Test func positionsAreAskedOfTheBrokers() async throws {
        let brokers = try MockKafka(brokers: 3)
        let (log, other) = (try await log(brokers, partitions: 4), try await log(brokers, partitions: 4))
        let places = try await other.append((0..<100).flatMap { Self.events($0..<$0 + 1, key: Bytes("k\($0)")) }, to: "t")
        let positions = try await log.log.positions(of: "t")
        for partition in PartitionID(0)..<4 {
            let count = places.filter { $0.partition == partition }.count
            #expect(positions.offsets[Int(partition)] == 0..<Offset(count))
            #expect(try log.offsets(topic: "t", partition: partition) == 0..<Offset(count))
        }
        #expect(positions.topic == other.topic("t"))
        let error = await #expect(throws: ModuleError.self) { try await log.log.positions(of: "unheard-of") }
        #expect(error?.code == "log.unknown_topic")
        await log.close()
        await other.close()
    }

    @Test func keysGoWhereOtherEnginesPutThem() async throws {
        let log = try await log(try MockKafka(), partitions: 7)
        let keys: [Bytes] = ["a", "key-1", "", "user:4711", "ü"]
        let places = try await log.append(keys.flatMap { Self.events(0..<1, key: $0) }, to: "t")
        #expect(places.map(\.partition) == keys.map { KafkaPartitioner.partition(of: $0, count: 7) })
        await log.close()
    }

    // MARK: Failures

    @Test func whatIsTooLargeIsRefused() async throws {
        let log = try await log(try MockKafka(), #", "max_record_bytes": 2000"#)
        #expect(log.maxEventBytes == 2_000)
        let error = await #expect(throws: ModuleError.self) {
            try await log.append(Self.events(0..<1) + Self.events(1..<2, payload: Bytes(String(repeating: "x", count: 30_000))), to: "t")
        }
        #expect(error?.code == "log.record_too_large" && error?.kind == .permanent)
        #expect(try await log.log.positions(of: "t").offsets == [0..<0])
        await log.close()
    }

    @Test(arguments: [
        (RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "log.record_too_large", ModuleError.Kind.permanent),
        (RD_KAFKA_RESP_ERR_INVALID_RECORD, "log.kafka_invalid_record", .permanent),
        (RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "log.kafka_authorization", .blocked),
    ])
    func anAnswerSaysWhetherToTryAgain(_ code: rd_kafka_resp_err_t, _ name: String, _ kind: ModuleError.Kind) async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers)
        brokers.fail(.produce, [code])
        let error = await #expect(throws: ModuleError.self) { try await log.append(Self.events(0..<1), to: "t") }
        #expect(error?.code == name && error?.kind == kind)
        #expect(error?.message.contains("cannot append to t") == true && error?.message.contains(brokers.servers[0]) == true)
        if kind == .permanent {
            _ = try await log.append(Self.events(1..<2), to: "t")
            #expect(try await log.read(topic: "t", partition: 0, from: 0, maxBytes: 1_000).map(\.event.id) == ["e1"])
        }
        await log.close()
    }

    /// librdkafka's producer is over then.
    @Test func aFatalErrorMakesTheProducerAnew() async throws {
        let brokers = try MockKafka()
        let lines = Lines()
        let log = try KafkaOnMock(brokers, log: lines.append)
        try await log.open()
        _ = try await log.ensureTopic("t", Self.settings)
        _ = try await log.append(Self.events(0..<1), to: "t")
        brokers.fail(.produce, [RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER])
        let error = await #expect(throws: ModuleError.self) { try await log.append(Self.events(1..<2), to: "t") }
        #expect(error?.kind == .transient)
        try await eventually("another producer takes over") { (try? await log.append(Self.events(1..<2), to: "t")) != nil }
        #expect(lines.count(of: "the producer met a fatal error and is made anew") > 0)
        await log.close()
    }

    @Test func aReaderWithoutTheRightIsTold() async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers)
        _ = try await log.append(Self.events(0..<1), to: "t")
        brokers.fail(.fetch, [RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED])
        let error = await #expect(throws: ModuleError.self) { try await log.read(topic: "t", partition: 0, from: 0, maxBytes: 1_000) }
        #expect(error?.code == "log.kafka_authorization" && error?.kind == .blocked)
        #expect(try await log.read(topic: "t", partition: 0, from: 0, maxBytes: 1_000).map(\.event.id) == ["e0"])
        await log.close()
    }

    @Test func whatCanPassIsTriedAgainInOrder() async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers)
        brokers.fail(.produce, [RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT])
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<50 { group.addTask { _ = try await log.append(Self.events(number..<number + 1, key: Bytes("\(number)")), to: "t") } }
            try await group.waitForAll()
        }
        var ids: [Bytes] = []
        while ids.count < 50 { ids += try await log.read(topic: "t", partition: 0, from: Offset(ids.count), maxBytes: 1 << 20).map(\.event.id) }
        #expect(Set(ids).count == 50 && ids.count == 50)
        #expect(try await log.log.positions(of: "t").offsets == [0..<50])
        await log.close()
    }
}
