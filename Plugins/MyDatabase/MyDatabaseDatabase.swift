public import Martlet
import Synchronization

/// Another database, of which transactions and queries that take long are logged.
///
/// 1. decode: ``Config``.
/// 2. validate: the other database must be configured, before this one.
/// 3. open: asks the other database, which the host opens, whether it answers.
/// 4. work: everything is the other database's; statements are not logged, only times.
/// 5. close: nothing goes through any more; the host closes the other database.
public final class MyDatabaseDatabase: Database {
    public struct Config: ModuleConfig {
        let database: ConfigText
        let slowMilliseconds: Int

        public init(from fields: inout ConfigFields) {
            database = fields.required(
                "database", "The database to look at: a name under `databases`, above this one.", example: "main")
            slowMilliseconds = fields.optional(
                "slow_ms", default: 100, in: 0...3_600_000, "What takes longer, waiting included, is logged.")
        }
    }

    public static let name = "my_database"
    public static let summary = "Another database, with a log of what is slow."

    private let other: any Database
    private let slow: Duration
    private let logger: Logger
    private let isOpen = Atomic(false)

    public init?(config: Config, context: ModuleContext) {
        guard let other = context.database(config.database) else { return nil }
        self.other = other
        slow = .milliseconds(config.slowMilliseconds)
        logger = context.logger
    }

    public func prepare(_ sql: String) throws(SQLProblem) -> SQLStatement {
        try other.prepare(sql)
    }

    public func open() async throws {
        _ = try await other.query(SQLStatement(text: "SELECT 1", parameterNames: []), [], limit: 1)
        isOpen.store(true, ordering: .releasing)
    }

    public func transaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        do throws(ModuleError) {
            try checkIsOpen()
        } catch {
            return completion(.failure(error))
        }
        let started = ContinuousClock.now
        other.transaction(body) { [self] result in
            logIfSlow("a transaction", since: started)
            completion(result)
        }
    }

    public func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult {
        try checkIsOpen()
        let started = ContinuousClock.now
        defer { logIfSlow("a query", since: started) }
        return try await other.query(statement, parameters, limit: limit)
    }

    public func columns(of table: String) async throws -> [String]? {
        try checkIsOpen()
        return try await other.columns(of: table)
    }

    public func close() async {
        isOpen.store(false, ordering: .releasing)
    }

    private func checkIsOpen() throws(ModuleError) {
        guard isOpen.load(ordering: .acquiring) else {
            throw .transient("my_database.closed", "the database is not open")
        }
    }

    private func logIfSlow(_ what: String, since started: ContinuousClock.Instant) {
        let time = ContinuousClock.now - started
        if time >= slow { logger.warning("\(what) was slow", ("time", "\(time)")) }
    }
}
