import Foundation
import Martlet
import Pipelines
import TestSupport
import Testing

@testable import MartletHost

/// A whole host over a log that hosts share.
@Suite(.timeLimit(.minutes(2))) struct SharedLogHostTests {
    private static func config(_ cluster: String, topics: String = #""likes": { "partitions": 2 }"#, log: String? = nil) -> String {
        let log = log ?? #"{ "type": "memory_shared", "cluster": "\#(cluster)" }"#
        return #"""
            {
              "host": { "listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0", "event_loops": 1, "shutdown_grace_seconds": 0 },
              "log": \#(log),
              "databases": {
                "main": {
                  "type": "sqlite",
                  "path": "main.db",
                  "schema": [
                    { "id": "001", "sql": "CREATE TABLE likes (actor TEXT PRIMARY KEY)" },
                    { "id": "002", "sql": "CREATE TABLE seen (id TEXT PRIMARY KEY, actor TEXT)" }
                  ]
                }
              },
              "pubsub": { "bus": { "type": "memory" } },
              "topics": { \#(topics) },
              "sources": {
                "likes": {
                  "type": "http",
                  "path": "/likes",
                  "save": {
                    "database": "main",
                    "sql": "INSERT INTO likes(actor) VALUES (:actor) ON CONFLICT DO NOTHING",
                    "parameters": { "actor": "${/actor}" }
                  },
                  "publish": { "topic": "likes", "key": "${/actor}" }
                },
                "events": { "type": "http", "path": "/events", "publish": { "topic": "likes" } }
              },
              "groups": {
                "store": {
                  "topics": ["likes"],
                  "sink": {
                    "type": "table", "database": "main", "table": "seen", "on_conflict": "ignore",
                    "columns": { "id": "${@id}", "actor": "${/actor}" }
                  }
                },
                "push": { "topics": ["likes"], "sink": { "type": "pubsub", "pubsub": "bus", "channel": "likes" } }
              },
              "channels": {
                "stream": {
                  "type": "sse",
                  "path": "/users/{user}/stream",
                  "subscribe": { "pubsub": "bus", "channel": "likes" },
                  "match": { "message": "${@key}", "connection": "${@path.user}" },
                  "replay": { "group": "push" }
                }
              },
              "queries": { "seen": { "path": "/seen", "database": "main", "sql": "SELECT actor FROM seen ORDER BY actor" } }
            }
            """#
    }

    /// A host that serves.
    private struct Running {
        let host: Pipelines.Host
        let cluster: MemoryCluster
        let folder: TemporaryFolder
        let operations: HostOperations

        /// - Parameter isAway: whether the log is away when the host starts.
        init(isAway: Bool) async throws {
            let name = EventID.generate().string
            cluster = MemoryCluster.named(name)
            cluster.assignAll()
            if isAway { cluster.goAway() }
            folder = try TemporaryFolder()
            try folder.write(config(name), to: "config.json")
            let (made, problems) = Host.make(
                configPath: folder["config.json"], overrides: [], registry: try SharedLogConfigTests.registry(), logger: .silent)
            host = try #require(made, "\(problems.text)")
            let operations = HostOperations(host)
            self.operations = operations
            try await host.start(adminRoutes: AdminAPI(host: host, operations: operations, token: nil).routes)
        }

        func send(_ method: String, _ path: String, _ body: String? = nil, isAdmin: Bool = false) async throws -> HTTPAnswer {
            try await HTTPConnection.request(
                method, path, to: isAdmin ? host.adminAddress : host.publicAddress, headers: ["Content-Type: application/json"], body: body)
        }

        func readiness() async throws -> HTTPAnswer { try await send("GET", "/readyz", isAdmin: true) }

        func untilReady() async throws {
            try await eventually("a ready host") { try await readiness().status == 200 }
        }

        func untilWaiting(for reason: String) async throws {
            try await eventually("the reason") { try await readiness().body.contains(reason) }
        }

        var hasOpenChannel: Bool { host.graph.channels.contains { $0.part.readiness.isReady } }

        func isSeen(_ actors: String...) async throws -> Bool {
            try await send("GET", "/seen").rows.compactMap { $0["actor"] as? String } == actors
        }
    }

    private static let away = "the cluster does not answer"

    /// Likes are saved, and their events come through once the log is there.
    @Test func aHostStartsWhileItsLogIsAway() async throws {
        let running = try await Running(isAway: true)
        try await eventually("the database") {
            try await running.send("POST", "/likes", #"{ "actor": "ann" }"#).status == 201
        }
        try await running.untilWaiting(for: Self.away)
        let waiting = try await running.readiness()
        #expect(waiting.status == 503)
        // A channel that rereads the log opens with it.
        #expect(running.hasOpenChannel == false)
        let refused = try await running.send("POST", "/events", #"{ "actor": "bob" }"#)
        #expect(refused.status == 503 && refused.headers["retry-after"] != nil)
        #expect(running.host.log.topic("likes") == nil)

        running.cluster.comeBack()
        try await running.untilReady()
        try await eventually("the like of before") { try await running.isSeen("ann") }
        #expect(try await running.send("POST", "/events", #"{ "actor": "bob" }"#).status == 202)
        try await eventually("the event") { try await running.isSeen("ann", "bob") }
        #expect(running.hasOpenChannel)
        await running.host.stop()
    }

    /// It saves what comes, so it stays in service.
    @Test func aHostWhoseLogGoesAwayStaysReady() async throws {
        let running = try await Running(isAway: false)
        try await running.untilReady()
        running.cluster.goAway()
        #expect(try await running.send("POST", "/likes", #"{ "actor": "ann" }"#).status == 201)
        try await running.untilWaiting(for: Self.away)
        let answer = try await running.readiness()
        #expect(answer.status == 200 && answer.object["degraded"] != nil)
        running.cluster.comeBack()
        try await eventually("the like") { try await running.isSeen("ann") }
        await running.host.stop()
        #expect(running.cluster.commits("store", "likes", 0).isEmpty, "the table keeps the group's offsets")
    }

    /// The log gives up what it was still trying to append.
    @Test func aStopDoesNotWaitForALogThatIsSlow() async throws {
        let running = try await Running(isAway: false)
        try await running.untilReady()
        running.cluster.holdAppends()
        #expect(try await running.send("POST", "/likes", #"{ "actor": "ann" }"#).status == 201)
        let log = try #require(running.host.log as? MemorySharedLog)
        try await eventually("the append") { log.heldAppends == 1 }
        await running.host.stop()
        #expect(running.cluster.log.records(of: "likes").isEmpty)
    }

    @Test func aTopicThatTheLogRefusesIsNamed() async throws {
        let running = try await Running(isAway: true)
        running.cluster.refuse("likes", .blocked("log.fewer_partitions", "topic likes has 9 partitions, the config says 2"))
        running.cluster.comeBack()
        try await running.untilWaiting(for: "topic likes has 9 partitions")
        #expect(try await running.readiness().status == 503)
        running.cluster.refuse("likes", nil)
        try await running.untilReady()
        await running.host.stop()
    }

    @Test func aReloadIsRefusedForWhatTheLogWillNotDo() async throws {
        let running = try await Running(isAway: false)
        try await running.untilReady()
        let cluster = try #require((running.host.log as? MemorySharedLog)?.cluster)
        #expect(cluster === running.cluster)
        let more = #""likes": { "partitions": 2 }, "more": {}"#
        let log = #"{ "type": "memory_shared", "cluster": "other" }"#
        func reload(_ text: String) async throws -> String {
            try running.folder.write(text, to: "config.json")
            return await running.host.reload().text
        }
        running.cluster.refuse("more", .blocked("log.not_allowed", "the cluster's rules forbid topic more"))
        #expect(try await reload(Self.config("", topics: more, log: log)).contains("the cluster's rules forbid topic more"))
        #expect(running.host.log.topic("more") == nil)
        running.cluster.refuse("more", nil)
        #expect(try await reload(Self.config("", topics: more, log: log)) == "")
        #expect(running.host.log.topic("more") != nil)
        // The log's block waits for the next start, and is checked all the same.
        #expect(try await reload(Self.config("", log: #"{ "type": "memory_shared" }"#)).contains("missing required key `cluster`"))
        #expect(try await reload(Self.config("", log: #"{ "type": "memory" }"#)).contains("unknown log type `memory`"))
        // While the log is away, new topics wait.
        running.cluster.goAway()
        #expect(try await reload(Self.config("", topics: more + #", "last": {}"#, log: log)) == "")
        try await eventually("the reason") { try await running.readiness().status == 503 }
        running.cluster.comeBack()
        try await running.untilReady()
        #expect(running.host.log.topic("last") != nil)
        await running.host.stop()
    }

    @Test func theAdminAPISaysWhatASharedLogIs() async throws {
        let running = try await Running(isAway: false)
        try await running.untilReady()
        #expect(try await running.send("POST", "/events", #"{ "actor": "bob" }"#).status == 202)
        try await eventually("the event") { try await running.isSeen("bob") }
        let refused = try await running.send("GET", LogWire.root + "/topics", isAdmin: true)
        #expect(refused.body.contains("is of type `memory_shared`, which each host uses by itself"), "\(refused.body)")
        let groups = try await running.send("GET", "/v1/groups/store", isAdmin: true)
        #expect(groups.text("state") == "running" && groups.text("offsets_in") == "sink")
        let letters = try await running.send("GET", "/v1/dead-letters", isAdmin: true)
        #expect(letters.status == 200)
        let records = try await running.send("GET", "/v1/topics/likes/records?offset=-1", isAdmin: true)
        #expect(records.status == 200 && records.body.contains("bob"), "\(records.body)")

        // The log gives one partition to another host.
        let seat = try #require((running.host.log as? MemorySharedLog)?.seat("store"))
        await seat.assign(["likes": [1]])
        #expect(try await running.send("POST", "/v1/groups/store/pause", isAdmin: true).status == 200)
        let reset = try await running.send("POST", "/v1/groups/store/reset", #"{ "to": "earliest" }"#, isAdmin: true)
        #expect(reset.object["elsewhere"] as? [String] == ["likes/0"] && (reset.object["partitions"] as? [Any])?.count == 1)
        let other = try await running.send("POST", "/v1/groups/store/reset", #"{ "to": "earliest", "partition": 0 }"#, isAdmin: true)
        #expect(other.status == 409 && other.body.contains("likes/0 is read by other hosts now; pause and reset the group there"))
        let body = try #require(JSONReader.read(reset.body, problems: ConfigProblems(file: "answer")))
        let command = try GroupReset(Arguments(["store", "--to", "earliest"], options: GroupsCommand.options))
        #expect(command.text(body).contains("Other hosts read likes/0: pause and reset the group there too"))
        await running.host.stop()
    }
}
