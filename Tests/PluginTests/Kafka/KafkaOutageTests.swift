import KafkaPlugin
import Martlet
import MartletTesting
import Pipelines
import Synchronization
import TestSupport
import Testing

/// Brokers that go away, over the mock cluster.
@Suite struct KafkaOutageTests {
    private func log(_ brokers: MockKafka, _ fields: String = "", log: @escaping @Sendable (String) -> Void = { _ in }) async throws -> KafkaOnMock {
        let log = try KafkaOnMock(brokers, fields, log: log)
        try await log.open()
        _ = try await log.ensureTopic("t", KafkaLogTests.settings)
        return log
    }

    private func ids(_ log: KafkaOnMock) async throws -> [String] {
        var ids: [String] = []
        while true {
            let page = try await log.read(topic: "t", partition: 0, from: Offset(ids.count), maxBytes: 1 << 20)
            if page.isEmpty { return ids }
            ids += page.map(\.event.id.string)
        }
    }

    @Test func appendsWaitForTheBrokersToComeBack() async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers)
        _ = try await log.append(KafkaLogTests.events(0..<1), to: "t")
        brokers.stop()
        let waiting = Task { [log] in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 1..<100 { group.addTask { _ = try await log.append(KafkaLogTests.events(number..<number + 1), to: "t") } }
                try await group.waitForAll()
            }
        }
        try await eventually("the outage is noticed") { log.log.trouble?.code == "log.kafka_away" }
        let error = await #expect(throws: ModuleError.self) { try await log.log.positions(of: "t") }
        #expect(error?.kind == .transient && error?.code == "log.kafka_away")
        brokers.start()
        try await waiting.value
        let found = try await ids(log)
        #expect(found.count == 100 && Set(found).count == 100)
        try await eventually("the log is well again") { log.log.trouble == nil }
        await log.close()
    }

    /// One after the other, tried again for ever, as the outbox does.
    @Test func nothingIsLostAndOrderIsKeptThroughOutages() async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers, #", "request_timeout_ms": 1500, "delivery_timeout_ms": 1000"#)
        let failures = Mutex(0)
        let writer = Task {
            for number in 0..<300 {
                while true {
                    do {
                        _ = try await log.append(KafkaLogTests.events(number..<number + 1), to: "t")
                        break
                    } catch let error as ModuleError {
                        #expect(error.kind == .transient, "\(error)")
                        failures.withLock { $0 += 1 }
                    }
                }
            }
        }
        for _ in 0..<2 {
            brokers.stop()
            let before = failures.withLock { $0 }
            try await eventually("an append fails") { failures.withLock { $0 } > before }
            brokers.start()
            let end = try log.offsets(topic: "t", partition: 0).upperBound
            try await eventually("an append succeeds") { try log.offsets(topic: "t", partition: 0).upperBound > end }
        }
        try await writer.value
        var seen: Set<String> = []
        let firsts = try await ids(log).filter { seen.insert($0).inserted }
        #expect(firsts == (0..<300).map { "e\($0)" })
        await log.close()
    }

    /// What is queued behind a record that times out fails with it, so that whoever tries again in order keeps the order.
    @Test func laterEventsDoNotOvertakeOneThatFailed() async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers, #", "request_timeout_ms": 1500, "delivery_timeout_ms": 1000"#)
        brokers.stop()
        let results = Mutex<[Int: Bool]>([:])
        for number in 0..<50 {
            log.append(KafkaLogTests.events(number..<number + 1), to: "t", mark: nil) { result in
                results.withLock { $0[number] = (try? result.get()) != nil }
            }
        }
        try await eventually("all are answered") { results.withLock { $0.count } == 50 }
        #expect(results.withLock { $0.values.allSatisfy { !$0 } })
        brokers.start()
        try await eventually("the log is well again") { (try? await log.append(KafkaLogTests.events(0..<50), to: "t")) != nil }
        var seen: Set<String> = []
        #expect(try await ids(log).filter { seen.insert($0).inserted } == (0..<50).map { "e\($0)" })
        await log.close()
    }

    /// As many as take a while to queue, so that the first of them time out before the last.
    @Test func noneOfOneAppendOvertakesAnotherThatFailed() async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers, #", "request_timeout_ms": 1500, "delivery_timeout_ms": 1000"#)
        _ = try await log.append(KafkaLogTests.events(0..<1), to: "t")
        brokers.stop()
        let start = ContinuousClock.now
        let starting = Task.detached {
            try await eventually("the first to be late") { ContinuousClock.now - start > .milliseconds(1100) }
            brokers.start()
        }
        _ = try? await log.append(KafkaLogTests.events(1..<300_000), to: "t")
        try await starting.value
        let range = try await eventually("the log is well again") { try? await log.log.positions(of: "t").offsets[0] }
        // The mock cluster keeps some megabytes only.
        let first = try await log.read(topic: "t", partition: 0, from: range.lowerBound, maxBytes: 1)
        #expect(first.first?.event.id == Bytes("e\(range.lowerBound)"), "\(range)")
        await log.close()
    }

    @Test func theQueueIsBounded() async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers, #", "max_queued_bytes": 1048576"#)
        brokers.stop()
        let large = Bytes(String(repeating: "x", count: 100_000))
        let kept = Mutex(0)
        var error: ModuleError?
        for number in 0..<20 {
            let refused = Mutex<ModuleError?>(nil)
            log.append(KafkaLogTests.events(number..<number + 1, payload: large), to: "t", mark: nil) { result in
                switch result {
                case .success: kept.withLock { $0 += 1 }
                case .failure(let failure): refused.withLock { $0 = failure }
                }
            }
            error = error ?? refused.withLock { $0 }
        }
        #expect(error?.code == "log.overloaded" && error?.kind == .transient)
        #expect(error?.message.contains("and the limit is 1048576") == true)
        brokers.start()
        try await eventually("what was taken is kept") { kept.withLock { $0 } == 10 }
        _ = try await log.append(KafkaLogTests.events(20..<21, payload: large), to: "t")
        #expect(try await ids(log).count == 11)
        await log.close()
    }

    @Test func theLogOpensWhileTheBrokersAreAway() async throws {
        let brokers = try MockKafka()
        brokers.make("t", partitions: 1)
        brokers.stop()
        let lines = Lines()
        let log = try KafkaOnMock(brokers, log: lines.append)
        try await log.open()
        let error = await #expect(throws: ModuleError.self) { try await log.log.ensureTopic("t", KafkaLogTests.settings) }
        #expect(error?.kind == .transient && error?.code == "log.kafka_away")
        #expect(error?.message.contains(brokers.servers[0]) == true)
        #expect(!log.log.hasAnswered && log.log.trouble != nil)
        brokers.start()
        try await eventually("the topic is made") { (try? await log.log.ensureTopic("t", KafkaLogTests.settings)) != nil }
        #expect(log.log.hasAnswered && log.log.trouble == nil)
        let said = lines.all.filter { !$0.contains("the watch of the topics") }
        #expect(said.filter { $0.contains("log.kafka_away") }.count == 1)
        #expect(said.filter { $0.contains("the Kafka brokers answer") }.count == 1)
        await log.close()
    }

    @Test func aReaderGoesOnAfterAnOutage() async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers, #", "request_timeout_ms": 1500"#)
        let waiting = Task { try await log.waitForRecord(topic: "t", partition: 0, at: 0) }
        #expect(try await log.read(topic: "t", partition: 0, from: 0, maxBytes: 1_000).isEmpty)
        brokers.stop()
        try await eventually("the outage is noticed") { log.log.trouble != nil }
        brokers.start()
        let other = try await self.log(brokers)
        _ = try await other.append(KafkaLogTests.events(0..<1), to: "t")
        try await waiting.value
        let found = try await eventually("the record is read") {
            let page = try? await log.read(topic: "t", partition: 0, from: 0, maxBytes: 1_000)
            return page?.isEmpty == false ? page : nil
        }
        #expect(found.map(\.event.id) == ["e0"])
        await log.close()
        await other.close()
    }

    @Test func aCloseEndsWhileTheBrokersAreAway() async throws {
        let brokers = try MockKafka()
        let log = try await log(brokers)
        brokers.stop()
        let result = Mutex<Result<[RecordPlace], ModuleError>?>(nil)
        log.append(KafkaLogTests.events(0..<1), to: "t", mark: nil) { answer in result.withLock { $0 = answer } }
        let waiting = Task { try await log.waitForRecord(topic: "t", partition: 0, at: 5) }
        try await eventually("the outage is noticed") { log.log.trouble != nil }
        let start = ContinuousClock.now
        await log.close()
        #expect(ContinuousClock.now - start < .seconds(9))
        guard case .failure(let error) = result.withLock({ $0 }) else {
            Issue.record("an append without an answer was not failed")
            return
        }
        #expect(error.kind == .transient)
        await #expect(throws: ModuleError.self) { try await waiting.value }
    }

    /// What other brokers lead can be used, and the log is not said to be away again and again.
    @Test func oneBrokerOfThreeAwayIsNoOutage() async throws {
        let brokers = try MockKafka(brokers: 3)
        brokers.make("t", partitions: 6)
        for partition in PartitionID(0)..<6 { brokers.lead("t", partition, by: Int(partition) % 3 + 1) }
        let lines = Mutex<[String]>([])
        let log = try KafkaOnMock(brokers, #", "request_timeout_ms": 1500, "delivery_timeout_ms": 1500"#) { line in
            lines.withLock { $0.append(line) }
        }
        try await log.open()
        _ = try await log.ensureTopic("t", KafkaLogTests.settings(6))
        _ = try await log.append((0..<100).flatMap { KafkaLogTests.events($0..<$0 + 1, key: Bytes("k\($0)")) }, to: "t")
        brokers.stop(2)
        var failed: Set<PartitionID> = []
        for _ in 0..<3 {
            for partition in PartitionID(0)..<6 {
                do {
                    #expect(try await !log.read(topic: "t", partition: partition, from: 0, maxBytes: 1).isEmpty)
                    #expect(!failed.contains(partition))
                } catch {
                    failed.insert(partition)
                }
            }
        }
        #expect(failed == [1, 4])
        let said = lines.withLock { $0 }.filter { $0.contains("trying again") || $0.contains("brokers answer") }
        #expect(said.count <= 1, "\(said)")
        #expect(log.log.trouble == nil)
        brokers.start(2)
        for partition in failed { try await eventually("a read") { (try? await log.read(topic: "t", partition: partition, from: 0, maxBytes: 1)) != nil } }
        await log.close()
    }
}
