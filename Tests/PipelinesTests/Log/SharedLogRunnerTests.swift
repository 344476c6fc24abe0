import Martlet
import Testing

@testable import Pipelines

struct SharedLogRunnerTests {
    private static func settings(_ partitions: Int) -> TopicSettings {
        TopicSettings(partitions: partitions, retentionMilliseconds: nil, retentionBytes: nil, segmentBytes: 1 << 20, cleanup: .delete)
    }

    /// Partitions that were added cannot be taken away: a config that is refused must not have added any.
    @Test func aConfigThatIsRefusedChangesNoTopic() async throws {
        let cluster = MemoryCluster()
        let runner = SharedLogRunner(log: MemorySharedLog(cluster), logger: .silent)
        runner.expect([("a", Self.settings(4)), ("b", Self.settings(4))])
        try await runner.wait(for: ["a", "b"])
        cluster.refuse("a", .blocked("log.touched", "a was to be changed"))
        cluster.refuse("b", .blocked("log.fewer_partitions", "b has 4 partitions"))
        let error = await #expect(throws: ModuleError.self) { try await runner.check([("a", Self.settings(8)), ("b", Self.settings(2))]) }
        #expect(error?.code == "log.fewer_partitions")
        await runner.close()
    }
}
