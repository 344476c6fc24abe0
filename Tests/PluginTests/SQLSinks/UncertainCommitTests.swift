import Martlet
import MartletTesting
import Pipelines
import SQLSinksPlugin
import SQLitePlugin
import Synchronization
import TestSupport
import Testing

struct UncertainCommitTests {
    /// A database whose commits take place, but whose answers are lost when asked for.
    private final class LosingAnswers: Database {
        typealias Config = SQLiteConfig
        static let name = "losing"
        static let summary = ""
        let base: SQLiteDatabase
        let losesNext = Mutex(false)

        init(base: SQLiteDatabase) { self.base = base }
        init?(config: SQLiteConfig, context: ModuleContext) { nil }

        func prepare(_ sql: String) throws(SQLProblem) -> SQLStatement { try base.prepare(sql) }
        func open() async throws { try await base.open() }
        func transaction(
            _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
            completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
        ) {
            let loses = losesNext.withLock { loses in
                defer { loses = false }
                return loses
            }
            base.transaction(body) { result in
                completion(loses ? .failure(.transient("database.commit_uncertain", "the answer was lost")) : result)
            }
        }
        func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult {
            try await base.query(statement, parameters, limit: limit)
        }
        func columns(of table: String) async throws -> [String]? { try await base.columns(of: table) }
        func close() async { await base.close() }
    }

    private let folder: TemporaryFolder
    private let database: LosingAnswers
    private let sink: TableSink
    private let place = GroupPartition(group: "g", topic: "t", incarnation: "i", partition: 0)

    init() async throws {
        folder = try TemporaryFolder()
        database = LosingAnswers(
            base: try TestHost(baseDirectory: folder.path).make(
                SQLiteDatabase.self, #"{"path": "main.db", "schema": [{"id": "1", "sql": "CREATE TABLE rows (number BIGINT)"}]}"#))
        sink = try TestHost(payloads: SimdjsonPayloadReader(), databases: ["main": database]).make(
            TableSink.self,
            #"{"database": "main", "table": "rows", "columns": {"number": "${@offset}"}, "on_conflict": "fail"}"#)
        try await database.open()
        try await sink.open()
    }

    private func write(_ range: Range<Int64>, from expected: Offset?, losing: Bool = false) async throws {
        let records = range.map {
            Record(topic: "t", partition: 0, offset: $0, event: Event(id: "x", key: nil, payload: "{}", timestamp: 0))
        }
        database.losesNext.withLock { $0 = losing }
        try await sink.write(records, moving: place, from: expected, to: range.upperBound)
    }

    private func loses(_ range: Range<Int64>, from expected: Offset?) async {
        let error = await #expect(throws: ModuleError.self) { try await write(range, from: expected, losing: true) }
        #expect(error?.kind == .transient)
    }

    private func numbers() async throws -> [Int64] {
        try await database.query(try database.prepare("SELECT number FROM rows ORDER BY number"), [], limit: 999).rows
            .compactMap { row in if case .integer(let number) = row[0] { number } else { nil } }
    }

    @Test func aRepeatedCommitIsNotWrittenTwice() async throws {
        await loses(0..<10, from: nil)
        try await write(0..<10, from: nil)
        try await write(10..<20, from: 10)
        #expect(try await numbers() == Array(0..<20))
    }

    @Test func aLargerBatchWritesOnlyTheRest() async throws {
        try await write(0..<5, from: nil)
        await loses(5..<10, from: 5)
        await loses(5..<10, from: 5)
        try await write(5..<15, from: 5)
        #expect(try await numbers() == Array(0..<15))
    }

    @Test func smallerBatchesFindTheirRecordsThere() async throws {
        await loses(0..<10, from: nil)
        try await write(0..<5, from: nil)
        try await write(5..<8, from: 5)
        try await write(8..<12, from: 8)
        try await write(12..<13, from: 12)
        #expect(try await numbers() == Array(0..<13))
    }

    @Test func anotherOwnerIsStillNoticed() async throws {
        try await write(0..<5, from: nil)
        let error = await #expect(throws: ModuleError.self) { try await write(0..<5, from: nil) }
        #expect(error?.code == "group.fenced")
        await loses(5..<10, from: 5)
        try await sink.resetOffset(of: place, to: 7)
        let fenced = await #expect(throws: ModuleError.self) { try await write(5..<10, from: 5) }
        #expect(fenced?.code == "group.fenced")
    }
}
