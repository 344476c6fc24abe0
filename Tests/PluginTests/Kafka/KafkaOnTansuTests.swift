import Foundation
import KafkaPlugin
import Martlet
import MartletTesting
import Pipelines
import TestSupport
import Testing

/// Over a broker that is no part of librdkafka. It takes a newer librdkafka than Debian's, so this test process starts itself
/// again with that one, to run ``InChild``.
@Suite struct KafkaOnTansuTests {
    private static let variable = "MARTLET_TEST_KAFKA"
    private static var address: String? { ProcessInfo.processInfo.environment[variable] }

    @Test(.enabled(if: address == nil), arguments: [
        "theLogKeepsTheContract", "hostsShareAGroup", "othersRecordsAreRead", "anOpenTransactionHoldsNoReader",
    ])
    func itWorksOnTansu(_ test: String) async throws {
        let broker = try await TansuBroker()
        try await run(test, broker, broker.address)
    }

    @Test(.enabled(if: address == nil)) func itSpeaksTLS() async throws {
        let port = try FreePort.take()
        let broker = try await TansuBroker(behind: port)
        let proxy = try TLSProxy(port: port, to: broker.port)
        try await run("itSpeaksTLS", broker, "127.0.0.1:\(port)", ["MARTLET_TEST_CA": proxy.authority, "MARTLET_TEST_OTHER_CA": proxy.otherAuthority])
    }

    @Test(.enabled(if: address == nil)) func aLoginIsRefused() async throws {
        let broker = try await TansuBroker(wantsLogin: true)
        try await run("aLoginIsRefused", broker, broker.address)
    }

    private func run(_ test: String, _ broker: TansuBroker, _ address: String, _ variables: [String: String] = [:]) async throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = ["--testing-library", "swift-testing", "--filter", "KafkaOnTansuTests.InChild/\(test)"]
        process.environment = ProcessInfo.processInfo.environment.merging(broker.environment) { $1 }.merging([Self.variable: address]) { $1 }
            .merging(variables) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = try await onThread { String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self) }
        process.waitUntilExit()
        #expect(process.terminationStatus == 0 && text.contains("Test run with 1 test"), "\(text)")
    }

    /// What runs in the child process only.
    @Suite(.enabled(if: address != nil)) struct InChild {
        private func log(_ fields: String = "") throws -> KafkaLog {
            let address = KafkaOnTansuTests.address ?? ""
            return try TestHost().make(
                KafkaLog.self, #"{"bootstrap_servers": ["\#(address)"], "fetch_wait_ms": 20, "replication_factor": 1\#(fields)}"#)
        }

        @Test func theLogKeepsTheContract() async throws {
            let address = KafkaOnTansuTests.address ?? ""
            // Marks are not promised; the others this broker cannot do.
            try await LogContract.verify(leavingOut: [.producerMarks, .timeLookup, .addedPartitions]) { store in
                try TopicsOfAStore(
                    store, TestHost().make(KafkaLog.self, #"{"bootstrap_servers": ["\#(address)"], "fetch_wait_ms": 20, "replication_factor": 1}"#))
            }
        }

        /// A record without an id, and transactions, whose marks take offsets: 3 in the middle, 5 at the end.
        @Test func othersRecordsAreRead() async throws {
            let script = """
                import sys
                from confluent_kafka import Producer
                from confluent_kafka.admin import AdminClient, NewTopic
                servers = {"bootstrap.servers": sys.argv[1]}
                admin = AdminClient(servers)
                admin.create_topics([NewTopic("t", 1, 1)])["t"].result(10)
                plain = Producer(servers)
                plain.produce("t", key="k", value="0", headers=[("a", b"b"), ("none", None)])
                plain.flush(10)
                writer = Producer({**servers, "transactional.id": "x"})
                writer.init_transactions(10)
                for values in (["1", "2"], ["4"]):
                    writer.begin_transaction()
                    for value in values: writer.produce("t", key="k", value=value)
                    writer.commit_transaction(10)
                """
            _ = try Python.run(script, [KafkaOnTansuTests.address ?? ""])
            let log = try log()
            try await log.open()
            _ = try await log.ensureTopic("t", KafkaLogTests.settings)
            var records: [Record] = []
            while true {
                let page = try await log.read(topic: "t", partition: 0, from: records.last.map { $0.offset + 1 } ?? 0, maxBytes: 1)
                if page.isEmpty { break }
                records += page
            }
            #expect(records.map(\.offset) == [0, 1, 2, 4] && records.map(\.event.payload) == ["0", "1", "2", "4"])
            #expect(records[0].event.id == "t/0/0" && records[0].event.headers == [Header("a", "b"), Header("none", "")])
            var next: Offset = 0
            while next < 6 {
                let page = try await log.read(topic: "t", partition: 0, keys: ["other"], from: next, to: 6, limit: 10)
                #expect(page.records.isEmpty && page.next > next)
                next = page.next
            }
            // No record comes from the mark at the end.
            let waiting = Task { try await log.waitForRecord(topic: "t", partition: 0, at: 5) }
            #expect(try await log.append(KafkaLogTests.events(0..<1), to: "t") == [RecordPlace(partition: 0, offset: 6)])
            try await waiting.value
            #expect(try await log.read(topic: "t", partition: 0, from: 5, maxBytes: 1_000).map(\.offset) == [6])
            await log.close()
        }

        /// What follows an open transaction is there, and cannot be read yet: the partition ends before it, for readers.
        @Test func anOpenTransactionHoldsNoReader() async throws {
            let log = try log(#", "request_timeout_ms": 4000"#)
            try await log.open()
            _ = try await log.ensureTopic("t", KafkaLogTests.settings)
            _ = try await log.append(KafkaLogTests.events(0..<1), to: "t")
            let script = """
                import sys
                from confluent_kafka import Producer
                writer = Producer({"bootstrap.servers": sys.argv[1], "transactional.id": "x"})
                writer.init_transactions(10)
                writer.begin_transaction()
                writer.produce("t", key="k", value="open")
                writer.flush(10)
                """
            _ = try Python.run(script, [KafkaOnTansuTests.address ?? ""])
            _ = try await log.append(KafkaLogTests.events(1..<2), to: "t")
            #expect(try await log.read(topic: "t", partition: 0, from: 0, maxBytes: 1_000).map(\.event.id) == ["e0"])
            #expect(try await log.read(topic: "t", partition: 0, from: 1, maxBytes: 1_000).isEmpty)
            #expect(log.trouble == nil)
            await log.close()
        }

        @Test func itSpeaksTLS() async throws {
            let variables = ProcessInfo.processInfo.environment
            let log = try log(#", "security_protocol": "ssl", "ca_file": "\#(variables["MARTLET_TEST_CA"] ?? "")""#)
            try await log.open()
            _ = try await log.ensureTopic("t", KafkaLogTests.settings)
            _ = try await log.append(KafkaLogTests.events(0..<10), to: "t")
            #expect(try await log.read(topic: "t", partition: 0, from: 0, maxBytes: 1_000).map(\.event.id) == (0..<10).map { Bytes("e\($0)") })
            await log.close()

            let other = try self.log(#", "security_protocol": "ssl", "ca_file": "\#(variables["MARTLET_TEST_OTHER_CA"] ?? "")""#)
            try await other.open()
            let error = await #expect(throws: ModuleError.self) { try await other.ensureTopic("t", KafkaLogTests.settings) }
            #expect(error?.code == "log.kafka_authentication" && error?.kind == .blocked, "\(String(describing: error))")
            await other.close()
        }

        @Test func aLoginIsRefused() async throws {
            let source = ConfigSource.load(
                text: """
                    {"bootstrap_servers": ["\(KafkaOnTansuTests.address ?? "")"], "security_protocol": "sasl_plaintext",
                     "sasl_mechanism": "SCRAM-SHA-512", "sasl_username": "martlet", "sasl_password": "${env:PASSWORD}"}
                    """, environment: { _ in "hush-hush" })
            let decoded = source.root.flatMap { KafkaConfig.decode($0, path: .root, problems: source.problems, keys: .strict(reserved: [])) }
            try source.problems.throwIfAny()
            let config = try #require(decoded)
            let log = try #require(KafkaLog(config: config, context: TestHost().context(named: "log")))
            try await log.open()
            let error = await #expect(throws: ModuleError.self) { try await log.ensureTopic("t", KafkaLogTests.settings) }
            #expect(error?.code == "log.kafka_authentication" && error?.kind == .blocked)
            #expect(error?.message.contains("SCRAM") == true && error?.message.contains("hush") == false)
            #expect(log.trouble?.code == "log.kafka_authentication" && !log.hasAnswered)
            await log.close()
        }

        /// A host commits what it has settled when its partitions are revoked, and the next one goes on there.
        @Test func hostsShareAGroup() async throws {
            let fields = #", "session_timeout_ms": 6000"#
            let (first, second) = (try log(fields), try log(fields))
            try await first.open()
            try await second.open()
            _ = try await first.ensureTopic("t", KafkaLogTests.settings(2))
            _ = try await second.ensureTopic("t", KafkaLogTests.settings(2))
            let one = KafkaGroupTests.Host { partitions in
                for partition in partitions {
                    await #expect(throws: Never.self) { try await first.commit(group: "g", topic: "t", partition: partition, offset: 5) }
                }
            }
            let two = KafkaGroupTests.Host()
            let part = try first.join("g", topics: ["t"], as: one)
            try await eventually("the first host has all") { one.partitions.count == 2 }
            let other = try second.join("g", topics: ["t"], as: two)
            try await eventually("the second host has its part") { two.partitions.count == 1 }
            #expect(try await second.committedOffset(group: "g", topic: "t", partition: two.partitions[0]) == 5)
            let error = await #expect(throws: ModuleError.self) {
                try await first.commit(group: "g", topic: "t", partition: two.partitions[0], offset: 1)
            }
            #expect(error?.code == "log.not_owner")
            await part.leave()
            try await eventually("the second host has all") { two.partitions.count == 2 }
            await other.leave()
            #expect(try await second.committedGroups().contains("g"))
            await first.close()
            await second.close()
        }
    }
}
