import Foundation
import KafkaPlugin
import Martlet
import Pipelines
import Synchronization
import TestSupport
import Testing

@testable import MartletHost

/// Whole hosts that share a Kafka, with one database.
@Suite(.serialized, .timeLimit(.minutes(3))) struct KafkaHostTests {
    /// A host that serves.
    private struct Running {
        let host: Pipelines.Host

        init(_ kafka: MockKafka, _ shared: TemporaryFolder, _ number: Int, edit: (String) -> String = { $0 }) async throws {
            let folder = shared["host-\(number)"]
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try edit(config(kafka, database: shared["main.db"])).write(toFile: folder + "/config.json", atomically: true, encoding: .utf8)
            let logger = Logger(output: LogOutput(minimum: .error, format: .text) { _ in })
            let (made, problems) = Host.make(
                configPath: folder + "/config.json", overrides: [], registry: try StandardModules.registry(), logger: logger)
            host = try #require(made, "\(problems.text)")
            try await host.start(adminRoutes: AdminAPI(host: host, operations: HostOperations(host), token: nil).routes)
        }

        func send(_ method: String, _ path: String, _ body: String? = nil, isAdmin: Bool = false) async throws -> HTTPAnswer {
            try await HTTPConnection.request(
                method, path, to: isAdmin ? host.adminAddress : host.publicAddress, headers: ["Content-Type: application/json"], body: body)
        }

        func readiness() async throws -> HTTPAnswer { try await send("GET", "/readyz", isAdmin: true) }

        func untilReady() async throws {
            try await eventually("a ready host") { try await readiness().status == 200 }
        }

        func like(_ actor: Int) async throws {
            try await eventually("like \(actor)") { try await send("POST", "/likes", #"{ "actor": "\#(actor)" }"#).status == 201 }
        }

        /// How often each like was written.
        func rows() async throws -> [String: Int] {
            let rows = try await send("GET", "/seen").rows
            return Dictionary(uniqueKeysWithValues: rows.compactMap { row in
                (row["actor"] as? String).map { ($0, (row["count"] as? Int) ?? 0) }
            })
        }

        /// The partitions of a group that this host reads.
        func partitions(_ group: String) -> Set<PartitionID> {
            let status = host.graph.groups.first { $0.name == group }?.part.status
            return Set((status?.partitions ?? []).filter { $0.phase != .elsewhere && $0.phase != .opening }.map(\.place.partition))
        }
    }

    private static func config(_ kafka: MockKafka, database: String) -> String {
        #"""
            {
              "host": {
                "listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0", "event_loops": 1, "shutdown_grace_seconds": 1,
                "outbox_lease_seconds": 1
              },
              "log": { "type": "kafka", "bootstrap_servers": \#(kafka.servers), "fetch_wait_ms": 10, "session_timeout_ms": 6000 },
              "databases": {
                "main": {
                  "type": "sqlite",
                  "path": "\#(database)",
                  "schema": [
                    { "id": "001", "sql": "CREATE TABLE likes (actor TEXT PRIMARY KEY)" },
                    { "id": "002", "sql": "CREATE TABLE seen (id TEXT, actor TEXT)" }
                  ]
                }
              },
              "topics": { "likes": { "partitions": 4 } },
              "sources": {
                "likes": {
                  "type": "http",
                  "path": "/likes",
                  "save": {
                    "database": "main",
                    "sql": "INSERT INTO likes(actor) VALUES (:actor)",
                    "parameters": { "actor": "${/actor}" }
                  },
                  "publish": { "topic": "likes", "key": "${/actor}" }
                },
                "events": { "type": "http", "path": "/events", "publish": { "topic": "likes", "key": "${/actor}" } }
              },
              "groups": {
                "store": {
                  "topics": ["likes"],
                  "sink": { "type": "table", "database": "main", "table": "seen", "columns": { "id": "${@id}", "actor": "${/actor}" } }
                },
                "copy": {
                  "topics": ["likes"],
                  "sink": { "type": "file", "path": "copy.ndjson" }
                }
              },
              "queries": {
                "seen": { "path": "/seen", "database": "main", "sql": "SELECT actor, COUNT(*) AS count FROM seen GROUP BY actor" }
              }
            }
            """#
    }

    private func kafka() throws -> MockKafka {
        let kafka = try MockKafka()
        kafka.make("likes", partitions: 4)
        kafka.make("likes.dead-letters", partitions: 1)
        return kafka
    }

    private func untilSeen(_ count: Int, by host: Running) async throws {
        let wanted = Dictionary(uniqueKeysWithValues: (0..<count).map { (String($0), 1) })
        try await eventually("\(count) likes, each once") { try await host.rows() == wanted }
    }

    @Test func hostsDivideTheGroups() async throws {
        let kafka = try kafka()
        let folder = try TemporaryFolder()
        let a = try await Running(kafka, folder, 1)
        try await a.untilReady()
        for number in 0..<20 { try await a.like(number) }
        try await untilSeen(20, by: a)
        #expect(a.partitions("store") == [0, 1, 2, 3])

        let b = try await Running(kafka, folder, 2)
        try await b.untilReady()
        try await eventually("a share for each") {
            let (first, second) = (a.partitions("store"), b.partitions("store"))
            return first.count == 2 && second.count == 2 && first.isDisjoint(with: second)
        }
        for number in 20..<60 { try await (number % 2 == 0 ? a : b).like(number) }
        try await untilSeen(60, by: a)
        for host in [a, b] {
            let counters = try #require(host.host.graph.groups.first { $0.name == "store" }).part.status.counters
            #expect(counters.consumed == counters.handled + counters.inFlight && counters.handled > 0)
        }

        await a.host.stop()
        try await eventually("all for the other") { b.partitions("store") == [0, 1, 2, 3] }
        for number in 60..<70 { try await b.like(number) }
        try await untilSeen(70, by: b)
        await b.host.stop()
    }

    @Test func aHostWaitsForKafka() async throws {
        let kafka = try kafka()
        let folder = try TemporaryFolder()
        kafka.stop()
        let host = try await Running(kafka, folder, 1)
        try await host.like(0)
        try await eventually("the reason") { try await host.readiness().body.contains("Kafka at") }
        #expect(try await host.readiness().status == 503)
        #expect(try await host.send("POST", "/events", #"{ "actor": "x" }"#).status == 503)
        kafka.start()
        try await host.untilReady()
        try await untilSeen(1, by: host)

        kafka.stop()
        try await host.like(1)
        try await eventually("the reason") { try await host.readiness().body.contains("degraded") }
        #expect(try await host.readiness().status == 200)
        kafka.start()
        try await eventually("the like of the meantime") { try await host.rows()["1"] != nil }

        // A host that stops while Kafka is away does not try on.
        kafka.stop()
        try await host.like(2)
        let started = ContinuousClock.now
        await host.host.stop()
        #expect(.now - started < .seconds(20))
    }

    /// They take requests and answer none: each group has an offset to store in each of its partitions.
    @Test func aStopEndsThoughTheBrokersAreSilent() async throws {
        let kafka = try kafka()
        let folder = try TemporaryFolder()
        let host = try await Running(kafka, folder, 1) { config in
            config.replacing("\"copy\": {", with: "\"copy\": { \"commit_interval_ms\": 60000,")
        }
        try await host.untilReady()
        for number in 0..<40 { try await host.like(number) }
        try await untilSeen(40, by: host)
        let copy = try #require(host.host.graph.groups.first { $0.name == "copy" }).part
        try await eventually("the copies") { copy.status.counters.handled == 40 }
        kafka.fallSilent()
        let started = ContinuousClock.now
        await host.host.stop()
        #expect(.now - started < .seconds(15))
    }

    @Test func aStopEndsThoughTheBrokersNeverSpoke() async throws {
        let kafka = try kafka()
        kafka.fallSilent()
        let folder = try TemporaryFolder()
        let host = try await Running(kafka, folder, 1)
        try await host.like(0)
        let started = ContinuousClock.now
        await host.host.stop()
        #expect(.now - started < .seconds(9))
    }

    /// What the outbox had given to Kafka is not answered; the likes are not to wait for that.
    @Test func aDatabaseIsExchangedWhileTheBrokersAreAway() async throws {
        let kafka = try kafka()
        let folder = try TemporaryFolder()
        let host = try await Running(kafka, folder, 1)
        try await host.untilReady()
        kafka.stop()
        try await host.like(0)
        let path = folder["host-1"] + "/config.json"
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let more = #"{ "id": "003", "sql": "CREATE TABLE more (id TEXT)" }, { "id": "002""#
        try text.replacing(#"{ "id": "002""#, with: more).write(toFile: path, atomically: true, encoding: .utf8)
        let started = ContinuousClock.now
        let problems = await host.host.reload()
        #expect(problems.isEmpty, "\(problems.text)")
        #expect(.now - started < .seconds(15))
        try await host.like(1)
        kafka.start()
        try await eventually("both") { Set(try await host.rows().keys) == ["0", "1"] }
        await host.host.stop()
    }
}
