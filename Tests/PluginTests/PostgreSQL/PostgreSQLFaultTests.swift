import Martlet
import MartletTesting
import Pipelines
import PostgreSQLPlugin
import SQLSinksPlugin
import Testing

/// Faults of the whole server: each test has one of its own.
@Suite(.timeLimit(.minutes(2)))
struct PostgreSQLFaultTests {
    private let server: PostgreSQLServer

    init() throws {
        server = try PostgreSQLServer()
    }

    /// A sink that has written the first ten records.
    private func begun(_ fields: String = "") async throws -> (PostgreSQLDatabase, TableSink) {
        let database = try server.makeDatabase(fields, schema: "CREATE TABLE rows (number BIGINT)")
        try await database.open()
        let sink = try TestHost(payloads: SimdjsonPayloadReader(), databases: ["main": database]).make(
            TableSink.self,
            #"{"database": "main", "table": "rows", "columns": {"number": "${@offset}"}, "on_conflict": "fail"}"#)
        try await sink.open()
        try await sink.write(batch(0..<10), moving: place, from: nil, to: 10)
        return (database, sink)
    }

    /// Commits wait for a replica that is not there.
    private func haveCommitsWait(_ database: PostgreSQLDatabase) async throws {
        try server.psql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
        try await waitForRow("SELECT 1 WHERE current_setting('synchronous_standby_names') = 'nobody'", database)
    }

    private func batch(_ range: Range<Int64>) -> [Record] {
        range.map { Record(topic: "t", partition: 0, offset: $0, event: Event(id: "x", key: nil, payload: "{}", timestamp: 0)) }
    }

    private let place = GroupPartition(group: "g", topic: "t", incarnation: "i", partition: 0)

    private func numbers(_ database: PostgreSQLDatabase) async throws -> [[DataValue]] {
        try await database.query(try database.prepare("SELECT number FROM rows ORDER BY number"), [], limit: 999).rows
    }

    @Test func aServerThatWasAwayLeavesNoHoleAndNoDuplicate() async throws {
        let (database, sink) = try await begun()
        try server.stop()
        for _ in 0..<3 {
            let error = await failure { try await sink.write(batch(10..<20), moving: place, from: 10, to: 20) }
            #expect(error?.kind == .transient, "\(String(describing: error))")
        }
        let read = await failure { _ = try await numbers(database) }
        #expect(read?.kind == .transient)
        try server.start()
        try await retrying { try await sink.write(batch(10..<20), moving: place, from: 10, to: 20) }
        try await retrying { _ = try await numbers(database) }
        #expect(try await numbers(database) == (0..<20).map { [.integer($0)] })
        await database.close()
    }

    /// A commit that waits for a replica that is not there has taken place when its connection is cut.
    @Test func aCommitWhoseAnswerIsLostIsNotRepeated() async throws {
        let (database, sink) = try await begun(", \"statement_timeout_ms\": 600000")
        try await haveCommitsWait(database)
        async let write = failure { try await sink.write(batch(10..<20), moving: place, from: 10, to: 20) }
        try await waitForRow("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'", database)
        try server.psql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
        let error = await write
        #expect(error?.kind == .transient)
        #expect(error?.code == "database.commit_uncertain")
        try server.psql("postgres", "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        try await retrying { try await sink.write(batch(10..<20), moving: place, from: 10, to: 20) }
        try await sink.write(batch(20..<25), moving: place, from: 20, to: 25)
        #expect(try await numbers(database) == (0..<25).map { [.integer($0)] })
        await database.close()
    }

    /// The client gives up on a commit that the server goes on with: its rows are not visible yet when it is tried again.
    @Test func aCommitStillUnderWayIsSettledBeforeTheNextTry() async throws {
        let (database, sink) = try await begun(", \"statement_timeout_ms\": 2000")
        try await haveCommitsWait(database)
        let error = await failure { try await sink.write(batch(10..<20), moving: place, from: 10, to: 20) }
        #expect(error?.code == "database.commit_uncertain", "\(String(describing: error))")
        let held = try await database.query(
            try database.prepare("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"), [], limit: 1).rows
        #expect(held == [[.integer(1)]])
        #expect(try await numbers(database).count == 10)
        // Only reads: the offset is there, so there is nothing to commit that would wait for the replica again.
        try await sink.write(batch(10..<20), moving: place, from: 10, to: 20)
        #expect(try await numbers(database) == (0..<20).map { [.integer($0)] })
        await database.close()
    }

    /// Tries again while the error is transient, as the runtime does, until a deadline.
    private func retrying(_ work: () async throws -> Void) async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            do {
                return try await work()
            } catch let error as ModuleError where error.kind == .transient && ContinuousClock.now < deadline {
                // The server, or its absence, sets the pace: a failed try to connect is not repeated at once.
                await Task.yield()
            }
        }
    }

    /// Returns when the query has a row.
    private func waitForRow(_ sql: String, _ database: PostgreSQLDatabase) async throws {
        let statement = try database.prepare(sql)
        let pause = try database.prepare("SELECT pg_sleep(0.02)")
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            if !(try await database.query(statement, [], limit: 1).rows.isEmpty) { return }
            _ = try await database.query(pause, [], limit: 1)
        }
        Issue.record("no row: \(sql)")
    }
}
