import Martlet
import MartletTesting
import SQLitePlugin
import Synchronization
import TestSupport

@testable import Pipelines

/// An outbox over a real SQLite file and a log in memory.
final class OutboxFixture: Sendable {
    let log: MemoryLog
    let outbox: Outbox
    let database: any Database
    private let folder: TemporaryFolder
    private let answers = Mutex<[Int: IntakeOutcome]>([:])
    private let order = Mutex<[Int]>([])

    /// - Parameter wrap: puts something between the outbox and the database.
    init(
        in folder: TemporaryFolder, log: MemoryLog = MemoryLog(), limitEvents: Int = 100_000, logger: Logger = .silent,
        wrap: (any Database) -> any Database = { $0 }
    ) async throws {
        self.log = log
        self.folder = folder
        let host = TestHost(payloads: SimdjsonPayloadReader())
        let database = try host.make(
            SQLiteDatabase.self,
            """
            {"path": "\(folder.path)/main.db", "schema": [
              {"id": "1", "sql": "CREATE TABLE likes (actor TEXT PRIMARY KEY CHECK (actor <> 'bad'))"}]}
            """)
        self.database = database
        let identity = HostIdentity(directory: folder.path)
        try identity.load()
        outbox = try Outbox(
            database: wrap(database), log: log, identity: identity, limitEvents: limitEvents, logger: logger)
        try await database.open()
    }

    func open() async throws {
        try await outbox.open()
    }

    func close() async {
        await outbox.close()
        await database.close()
    }

    /// Saves a like; its answer is found under the number.
    /// - Parameter failure: makes the event's templates fail after the statement has run.
    func submit(
        _ number: Int, actor: String, sql: String = "INSERT INTO likes(actor) VALUES (:actor) ON CONFLICT DO NOTHING",
        payload: String? = nil, event given: Event? = nil, failure: ModuleError? = nil
    ) throws {
        let statement = try database.prepare(sql)
        let event = given ?? Event(id: Bytes("e\(number)"), key: "bob", payload: Bytes(payload ?? actor), timestamp: 1)
        outbox.submit(
            SaveRequest(
                statement: statement, parameters: [.text(actor)],
                makeEvent: { (_) throws(ModuleError) in
                    if let failure { throw failure }
                    return ("likes", event)
                }, inputBytes: event.payload.count,
                answer: { [self] outcome in
                    answers.withLock { $0[number] = outcome }
                    order.withLock { $0.append(number) }
                }))
    }

    func answer(to number: Int) -> String? {
        switch answers.withLock({ $0[number] }) {
        case .saved: "saved"
        case .unchanged: "unchanged"
        case .rejected(let error): "rejected \(error.code)"
        case .unavailable(let error, _): "unavailable \(error.code)"
        case .conflict: "conflict"
        case .published, .sent, .filtered: "other"
        case nil: nil
        }
    }

    func waitForAnswers(_ count: Int) async -> Bool {
        await waitUntil { self.answers.withLock { $0.count } == count }
    }

    /// Payloads in the log, in order.
    var published: [String] { log.records(of: "likes").map(\.text) }

    func rows(_ sql: String) async throws -> [String] {
        try await database.query(SQLStatement(text: sql, parameterNames: []), [], limit: 100_000).rows.map { row in
            if case .text(let text) = row[0] { text } else { "\(row[0])" }
        }
    }
}

/// A database that commits some transactions and then says that it could not, as a broken connection does.
final class UncertainDatabase: Database {
    typealias Config = NoConfig

    static let name = "uncertain"
    static let summary = "for tests"

    private let base: any Database
    private let lies = Mutex(0)

    init(_ base: any Database) {
        self.base = base
    }

    init?(config: NoConfig, context: ModuleContext) { nil }

    /// The answers of the next transactions are lost.
    func loseNextAnswers(_ count: Int) {
        lies.withLock { $0 = count }
    }

    func prepare(_ sql: String) throws(SQLProblem) -> SQLStatement { try base.prepare(sql) }
    func open() async throws { try await base.open() }
    func close() async { await base.close() }
    func columns(of table: String) async throws -> [String]? { try await base.columns(of: table) }

    func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult {
        try await base.query(statement, parameters, limit: limit)
    }

    func transaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        base.transaction(body) { [self] result in
            let isLost = lies.withLock { lies in
                defer { lies = max(0, lies - 1) }
                return lies > 0
            }
            completion(isLost ? .failure(.transient("database.commit_uncertain", "the connection broke")) : result)
        }
    }
}
