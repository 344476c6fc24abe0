import Martlet
import Testing

@testable import MartletHost

/// A module that ships has a test that runs the contract of its kind.
@Suite struct ContractCoverageTests {
    /// These tests by module. They stand here as functions, so that one that is gone does not compile.
    private static var tests: [String: Any] {
        [
            "auth/api_key": ShippedModulesTests.apiKeysKeepTheContract,
            "auth/jwt": ShippedModulesTests.tokensKeepTheContract,
            "channel/sse": ShippedModulesTests.sseKeepsTheContract,
            "channel/webhook": WebhookContractTests.keepsTheContract,
            "database/postgres": PostgreSQLContractTests.keepsTheContract,
            "database/sqlite": SQLiteContractTests.keepsTheContract,
            "log/kafka": KafkaContractTests.theLogKeepsTheContractOnTheMockCluster,
            "pubsub/memory": ShippedModulesTests.memoryBusKeepsTheContract,
            "pubsub/redis": ShippedModulesTests.redisKeepsTheContract,
            "sink/console": ShippedModulesTests.consoleKeepsTheContract,
            "sink/exec": ExecSinkTests.theExampleKeepsTheContract,
            "sink/file": FileSinkTests.itKeepsTheContract,
            "sink/http": HTTPSinkTests.itKeepsTheContract,
            "sink/pubsub": ShippedModulesTests.pubSubSinkKeepsTheContract,
            "sink/redis": RedisStreamTests.theSinkKeepsTheContract,
            "sink/sql": SQLSinksContractTests.sqlKeepsTheContract,
            "sink/table": SQLSinksContractTests.tableKeepsTheContract,
            "source/exec": ShippedSourcesTests.execKeepsTheContract,
            "source/file": ShippedModulesTests.fileSourceKeepsTheContract,
            "source/http": ShippedModulesTests.httpSourceKeepsTheContract,
            "source/outbox": ShippedSourcesTests.outboxKeepsTheContract,
            "source/redis": ShippedSourcesTests.redisKeepsTheContract,
            "source/schedule": ShippedSourcesTests.scheduleKeepsTheContract,
            "transform/dedupe": ShippedModulesTests.dedupeKeepsTheContract,
            "transform/exec": ShippedModulesTests.execKeepsTheContract,
            "transform/filter": ShippedModulesTests.filterKeepsTheContract,
            "transform/jq": ShippedModulesTests.jqKeepsTheContract,
            "transform/map": ShippedModulesTests.mapKeepsTheContract,
            "transform/throttle": ShippedModulesTests.throttleKeepsTheContract,
        ]
    }

    @Test func everyRegisteredModuleIsVerified() throws {
        let registered = ModuleList(try StandardModules.registry()).entries.map(\.label)
        #expect(registered.sorted() == Self.tests.keys.sorted())
    }
}
