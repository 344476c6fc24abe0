import MyDatabasePlugin
import Martlet
import MartletTesting
import SQLitePlugin
import Synchronization
import Testing

struct MyDatabaseDatabaseTests {
    @Test func keepsTheContract() async throws {
        let folder = try TemporaryFolder()
        try await DatabaseContract.verify { request in
            let file = request.isReachable ? "\(request.store).db" : "missing/\(request.store).db"
            let main = try TestHost(baseDirectory: folder.path).make(
                SQLiteDatabase.self, #"{"path": "\#(file)", \#(request.commonFields)}"#)
            let host = TestHost(databases: ["main": main])
            return OpenedTogether(main: main, database: try host.make(MyDatabaseDatabase.self, ReadmeExample.json(of: "MyDatabase")))
        }
    }

    @Test func whatIsSlowIsLogged() async throws {
        let folder = try TemporaryFolder()
        let lines = Mutex<[String]>([])
        let main = try TestHost(baseDirectory: folder.path).make(SQLiteDatabase.self, #"{"path": "main.db"}"#)
        let host = TestHost(databases: ["main": main], log: { line in lines.withLock { $0.append(line) } })
        let database = try host.make(MyDatabaseDatabase.self, #"{"database": "main", "slow_ms": 0}"#)
        try await main.open()
        try await database.open()
        _ = try await database.query(database.prepare("SELECT 1"), [], limit: 1)
        #expect(lines.withLock { $0.contains { $0.contains("a query was slow") } })
        await database.close()
        await main.close()
    }
}

/// The host opens both databases; the contract knows only one.
private struct OpenedTogether: Database {
    static let name = "together"
    static let summary = "For the contract."

    struct Config: ModuleConfig {
        init(from fields: inout ConfigFields) {}
    }

    private let main: any Database
    private let database: any Database

    init(main: any Database, database: any Database) {
        self.main = main
        self.database = database
    }

    init?(config: Config, context: ModuleContext) { nil }

    func prepare(_ sql: String) throws(SQLProblem) -> SQLStatement { try database.prepare(sql) }

    func open() async throws {
        try await main.open()
        try await database.open()
    }

    func transaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) { database.transaction(body, completion: completion) }

    func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult {
        try await database.query(statement, parameters, limit: limit)
    }

    func columns(of table: String) async throws -> [String]? { try await database.columns(of: table) }

    func close() async {
        await database.close()
        await main.close()
    }
}
