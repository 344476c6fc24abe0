import Martlet
import MartletTesting
import Pipelines
import PostgreSQLPlugin
import SQLSinksPlugin
import Synchronization
import Testing

/// A `table` sink's batches leave together with their commit.
@Suite(.timeLimit(.minutes(2)))
struct PostgreSQLSinkTests {
    private let place = GroupPartition(group: "g", topic: "t", incarnation: "i", partition: 0)
    private let server: PostgreSQLServer

    init() throws {
        server = try PostgreSQLServer.shared.get()
    }

    private func open(_ schema: String) async throws -> (PostgreSQLDatabase, TableSink) {
        let database = try server.makeDatabase(schema: schema)
        let sink = try TestHost(payloads: SimdjsonPayloadReader(), databases: ["main": database]).make(
            TableSink.self,
            #"{"database": "main", "table": "rows", "columns": {"number": "${@offset}", "text": "${@key}"}, "on_conflict": "fail"}"#)
        try await database.open()
        try await sink.open()
        return (database, sink)
    }

    private func batch(_ range: Range<Int64>, text: String = "text") -> [Record] {
        range.map { Record(topic: "t", partition: 0, offset: $0, event: Event(id: "x", key: Bytes(text), payload: "{}", timestamp: 0)) }
    }

    private func rows(_ sql: String, _ database: PostgreSQLDatabase) async throws -> [[DataValue]] {
        try await database.query(try database.prepare(sql), [], limit: 999).rows
    }

    private func numbers(_ database: PostgreSQLDatabase) async throws -> [[DataValue]] {
        try await rows("SELECT number FROM rows ORDER BY number", database)
    }

    /// Wherever the connection is cut, nothing is lost and nothing comes twice.
    @Test func connectionsCutInMidBatchLeaveNoHoleAndNoDuplicate() async throws {
        let (database, sink) = try await open("CREATE TABLE rows (number BIGINT, text TEXT)")
        let isOver = Atomic<Bool>(false)
        async let cuts = cutWriter(of: database, times: 20, isOver)
        var (next, failures) = (Int64(0), 0)
        while true {
            // The last cut may still be on its way until a batch has gone through after it.
            let isLast = isOver.load(ordering: .acquiring)
            do {
                try await sink.write(batch(next..<next + 500), moving: place, from: next == 0 ? nil : next, to: next + 500)
                next += 500
                if isLast { break }
            } catch let error as ModuleError where error.kind == .transient {
                failures += 1
            }
        }
        try await cuts
        #expect(failures > 0)
        let found = try await rows("SELECT count(*), count(DISTINCT number), coalesce(max(number) + 1, 0) FROM rows", database)
        #expect(found == [[.integer(next), .integer(next), .integer(next)]])
        #expect(try await sink.committedOffset(of: place) == next)
        await database.close()
    }

    /// Ends the writer's process so often while it works.
    private func cutWriter(of database: PostgreSQLDatabase, times: Int64, _ isOver: borrowing Atomic<Bool>) async throws {
        defer { isOver.store(true, ordering: .releasing) }
        var cuts: Int64 = 0
        while cuts < times {
            let found = try await rows(
                """
                SELECT count(pg_terminate_backend(pid)), pg_sleep(0.01)::text FROM pg_stat_activity
                WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()
                """, database)
            if case .integer(let count)? = found.first?.first { cuts += count }
        }
    }

    /// The server tells of it only when it commits.
    @Test func aDeferredConstraintFailsTheWholeBatch() async throws {
        let (database, sink) = try await open("CREATE TABLE rows (number BIGINT, text TEXT UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        try await sink.write(batch(0..<1), moving: place, from: nil, to: 1)
        let error = await #expect(throws: ModuleError.self) {
            try await sink.write(batch(1..<2), moving: place, from: 1, to: 2)
        }
        #expect(error?.kind == .permanent)
        #expect(try await sink.committedOffset(of: place) == 1)
        try await sink.write(batch(1..<2, text: "another"), moving: place, from: 1, to: 2)
        #expect(try await numbers(database) == [[.integer(0)], [.integer(1)]])
        await database.close()
    }

    /// Its rows left together with those of an owner that was there before; none of them stays.
    @Test func anOwnerThatComesLateWritesNothing() async throws {
        let (database, sink) = try await open("CREATE TABLE rows (number BIGINT, text TEXT)")
        try await sink.write(batch(0..<10), moving: place, from: nil, to: 10)
        for expected in [nil, 5, 15] as [Offset?] {
            let error = await #expect(throws: ModuleError.self) {
                try await sink.write(batch(10..<20), moving: place, from: expected, to: 20)
            }
            #expect(error?.code == "group.fenced")
        }
        #expect(try await numbers(database) == (0..<10).map { [.integer($0)] })
        #expect(try await sink.committedOffset(of: place) == 10)
        try await sink.write(batch(10..<20), moving: place, from: 10, to: 20)
        #expect(try await numbers(database) == (0..<20).map { [.integer($0)] })
        await database.close()
    }
}
