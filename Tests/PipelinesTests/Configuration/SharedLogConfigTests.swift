import Foundation
import Martlet
import Pipelines
import TestSupport
import Testing

@testable import MartletHost

/// The block `log` when it names a module.
struct SharedLogConfigTests {
    static func registry() throws -> ModuleRegistry {
        var registry = try StandardModules.registry()
        try registry.register(log: MemorySharedLog.self)
        return registry
    }

    private static let engine = #""log": { "acknowledge": "fsync" }"#
    private static let module = #""log": { "type": "memory_shared", "cluster": "config" }"#
    private static let window = (#""partitions": 4"#, #""partitions": 4, "deduplicate": {}"#)

    private func make(_ text: String, in folder: TemporaryFolder) throws -> (Pipelines.Host?, String) {
        try folder.write(text, to: "config.json")
        let (host, problems) = Host.make(
            configPath: folder["config.json"], overrides: [], registry: try Self.registry(), logger: .silent)
        #expect((host == nil) == !problems.isEmpty)
        #expect(FileManager.default.contentsOfDirectory(folder.path) == ["config.json"], "validation left something behind")
        return (host, problems.text.replacingOccurrences(of: folder.path + "/", with: ""))
    }

    @Test func aModuleIsMadeOfTheBlock() throws {
        let folder = try TemporaryFolder()
        let fields = #""log": { "type": "memory_shared", "cluster": "config", "max_record_bytes": 2048 }"#
        let (host, report) = try make(ConfigFixture("a module", [(Self.engine, fields)], "").text, in: folder)
        #expect(report.isEmpty)
        #expect(host?.sharedLog?.type == "memory_shared" && host?.log.maxEventBytes == 2048)
        #expect(host?.embeddedLog == nil && host?.remoteLog == nil)
        #expect(host?.graph.groups.allSatisfy(\.part.runsHere) == true)
    }

    @Test(arguments: [engine, #""log": { "type": "embedded" }"#]) func anEngineIsNoModule(_ block: String) throws {
        let folder = try TemporaryFolder()
        let (host, report) = try make(ConfigFixture("a window of ids", [(Self.engine, block), Self.window], "").text, in: folder)
        #expect(report.isEmpty && host?.embeddedLog != nil && host?.sharedLog == nil, "\(report)")
    }

    @Test func anotherHostsLogIsNoModule() throws {
        let folder = try TemporaryFolder()
        let fields = #""log": { "type": "remote", "url": "http://127.0.0.1:1" }"#
        let (host, report) = try make(ConfigFixture("another host's", [(Self.engine, fields)], "").text, in: folder)
        #expect(report.isEmpty && host?.remoteLog != nil && host?.sharedLog == nil, "\(report)")
    }

    static let mistakes = [
        ConfigFixture(
            "an unknown type, beside other mistakes",
            [
                (engine, #""log": { "type": "memory_shard", "acknowledge": "fsync" }"#),
                (#""retention_hours": 168"#, #""retentoin_hours": 168"#), (#""topics": ["likes"]"#, #""topics": ["lieks"]"#),
            ],
            """
            config.json:3:20: log.type: unknown log type `memory_shard`; did you mean `memory_shared`?
              valid types: embedded, remote, kafka, memory_shared
            config.json:12:43: topics.likes.retentoin_hours: unknown key `retentoin_hours`; did you mean `retention_hours`?
              valid keys: partitions, retention_hours, retention_bytes, segment_bytes, cleanup, compression, deduplicate, schema
            config.json:27:18: groups.store.topics[0]: unknown topic `lieks`; did you mean `likes`?
              topics: likes
            """),
        ConfigFixture(
            "no such engine", [(engine, #""log": { "type": "embeded" }"#)],
            """
            config.json:3:20: log.type: unknown log type `embeded`; did you mean `embedded`?
              valid types: embedded, remote, kafka, memory_shared
            """),
        ConfigFixture(
            "a key that the module does not have, and a missing one",
            [(engine, #""log": { "type": "memory_shared", "acknowledge": "fsync" }"#), window],
            """
            config.json:3:10: log: missing required key `cluster`
              cluster: string, for example "cluster": "one"
            config.json:3:37: log.acknowledge: unknown key `acknowledge`
              valid keys: type, cluster, max_record_bytes
            config.json:12:58: topics.likes.deduplicate: a log of type `memory_shared` knows no window of event ids, and keeps every event
              remove it; a table keyed by the event's id takes an event once
            """),
        ConfigFixture(
            "a window of ids", [(engine, module), window],
            """
            config.json:12:58: topics.likes.deduplicate: a log of type `memory_shared` knows no window of event ids, and keeps every event
              remove it; a table keyed by the event's id takes an event once
            """),
        ConfigFixture(
            "no text for a type", [(engine, #""log": { "type": 7 }"#)],
            """
            config.json:3:20: log.type: must be one of "embedded", "remote", found 7
            """),
        ConfigFixture(
            "a template for a type", [(engine, #""log": { "type": "${/kind}", "cluster": "one" }"#)],
            """
            config.json:3:21: log.type: takes plain text, no template, found `${/kind}`
              write $${ for a literal ${
            """),
    ]

    @Test(arguments: mistakes) func aMistakeIsReportedInFull(_ fixture: ConfigFixture) throws {
        let report = try make(fixture.text, in: TemporaryFolder()).1
        #expect(report == fixture.report, "\(report)")
    }

    /// A log with the name of an engine.
    private final class Impostor: SharedLog {
        static let name = "remote"
        static let summary = ""
        init?(config: NoConfig, context: ModuleContext) { nil }
        let trouble: ModuleError? = nil
        let hasAnswered = false
        let maxEventBytes = 0
        func join(_ group: GroupName, topics: [TopicName], as member: any GroupMember) throws(ModuleError) -> any GroupMembership {
            throw .blocked("test", "")
        }
        func open() async throws {}
        func close() async {}
        func ensureTopic(_ name: TopicName, _ settings: TopicSettings) async throws -> TopicInfo { throw CancellationError() }
        func topic(_ name: TopicName) -> TopicInfo? { nil }
        func topics() -> [TopicInfo] { [] }
        func append(
            _ events: [Event], to topic: TopicName, mark: ProducerMark?,
            completion: @escaping @Sendable (Result<[RecordPlace], ModuleError>) -> Void
        ) {}
        func read(topic: TopicName, partition: PartitionID, from offset: Offset, maxBytes: Int) async throws -> [Record] { [] }
        func waitForRecord(topic: TopicName, partition: PartitionID, at offset: Offset) async throws {}
        func offsets(topic: TopicName, partition: PartitionID) throws -> Range<Offset> { 0..<0 }
        func offset(topic: TopicName, partition: PartitionID, at timestamp: Int64) async throws -> Offset { 0 }
        func committedOffset(group: GroupName, topic: TopicName, partition: PartitionID) async throws -> Offset? { nil }
        func commit(group: GroupName, topic: TopicName, partition: PartitionID, offset: Offset) async throws {}
        func committedGroups() async throws -> [GroupName] { [] }
    }

    @Test func noModuleHasTheNameOfAnEngine() throws {
        var registry = ModuleRegistry()
        #expect { try registry.register(log: Impostor.self) } throws: { error in
            "\(error)" == "log `remote` (Impostor) has the name of one of the platform's own; rename it"
        }
        try registry.register(log: MemorySharedLog.self)
        #expect(throws: RegistrationError.self) { try registry.register(log: MemorySharedLog.self) }
    }

    @Test func theReferenceAndTheListHaveIt() throws {
        let registry = try Self.registry()
        #expect(ModuleList(registry).find("log/memory_shared")?.fields.map(\.name) == ["cluster", "max_record_bytes"])
        let markdown = ConfigReference(registry).markdown
        #expect(markdown.contains("## Modules: log\n") && markdown.contains("\n### `log/memory_shared`\n"))
        #expect(!ConfigReference(ModuleRegistry()).markdown.contains("## Modules: log"))
    }
}
