import CRdKafka
import KafkaPlugin
import Martlet
import Pipelines
import Synchronization
import TestSupport
import Testing

/// Topics and rights that others decide on, over the mock cluster.
@Suite struct KafkaSharedTopicTests {
    private func log(_ brokers: MockKafka, log: @escaping @Sendable (String) -> Void = { _ in }) async throws -> KafkaOnMock {
        let log = try KafkaOnMock(brokers, log: log)
        try await log.open()
        return log
    }

    /// Rows of an outbox may be for a topic that this host's config does not name: of a host that is gone, or of an earlier
    /// config. Whoever publishes them must not wait for ever, with all others behind them.
    @Test func aTopicThatTheConfigDoesNotNameIsAppendedTo() async throws {
        let brokers = try MockKafka()
        brokers.make("others", partitions: 3)
        let log = try await log(brokers)
        let places = try await log.append(KafkaLogTests.events(0..<5), to: "others")
        #expect(places.map(\.offset) == [0, 1, 2, 3, 4])
        let error = await #expect(throws: ModuleError.self) { try await log.append(KafkaLogTests.events(0..<1), to: "nobodys") }
        #expect(error?.code == "log.unknown_topic" && error?.kind == .blocked)
        #expect(error?.message.contains("nobodys") == true && error?.message.contains("`topics`") == true)
        await log.close()
    }

    /// librdkafka's producer is over at once, each time. The reason is told, and told once.
    @Test func aProducerWithoutTheRightIsToldWhy() async throws {
        let brokers = try MockKafka()
        let lines = Mutex<[String]>([])
        let log = try await log(brokers) { line in lines.withLock { $0.append(line) } }
        _ = try await log.ensureTopic("t", KafkaLogTests.settings)
        brokers.fail(.initProducerID, Array(repeating: RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, count: 1_000))
        for number in 0..<30 {
            let error = await #expect(throws: ModuleError.self) { try await log.append(KafkaLogTests.events(number..<number + 1), to: "t") }
            #expect(error?.code == "log.kafka_authorization" && error?.kind == .blocked, "\(String(describing: error))")
        }
        let said = lines.withLock { $0 }.filter { $0.contains("fatal") }
        #expect((1...3).contains(said.count), "\(said)")
        brokers.mend(.initProducerID)
        try await eventually("an append") { (try? await log.append(KafkaLogTests.events(30..<31), to: "t")) != nil }
        await log.close()
    }
}
