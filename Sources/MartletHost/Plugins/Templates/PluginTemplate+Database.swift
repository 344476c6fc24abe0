extension PluginTemplate {
    /// A database that is another one, with a log of what is slow.
    static let database = PluginTemplate(
        module: #"""
            public import Martlet
            import Synchronization

            /// Another database, of which transactions and queries that take long are logged.
            ///
            /// 1. decode: ``Config``.
            /// 2. validate: the other database must be configured, before this one.
            /// 3. open: asks the other database, which the host opens, whether it answers.
            /// 4. work: everything is the other database's; statements are not logged, only times.
            /// 5. close: nothing goes through any more; the host closes the other database.
            public final class __NAME__Database: Database {
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

                public static let name = "__TYPE__"
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
                        throw .transient("__TYPE__.closed", "the database is not open")
                    }
                }

                private func logIfSlow(_ what: String, since started: ContinuousClock.Instant) {
                    let time = ContinuousClock.now - started
                    if time >= slow { logger.warning("\(what) was slow", ("time", "\(time)")) }
                }
            }

            """#,
        tests: ##"""
            import __NAME__Plugin
            import Martlet
            import MartletTesting
            import SQLitePlugin
            import Synchronization
            import TestSupport
            import Testing

            struct __NAME__DatabaseTests {
                @Test func keepsTheContract() async throws {
                    let folder = try TemporaryFolder()
                    try await DatabaseContract.verify { request in
                        let file = request.isReachable ? "\(request.store).db" : "missing/\(request.store).db"
                        let main = try TestHost(baseDirectory: folder.path).make(
                            SQLiteDatabase.self, #"{"path": "\#(file)", \#(request.commonFields)}"#)
                        let host = TestHost(databases: ["main": main])
                        return OpenedTogether(main: main, database: try host.make(__NAME__Database.self, ReadmeExample.json(of: "__NAME__")))
                    }
                }

                @Test func whatIsSlowIsLogged() async throws {
                    let folder = try TemporaryFolder()
                    let lines = Mutex<[String]>([])
                    let main = try TestHost(baseDirectory: folder.path).make(SQLiteDatabase.self, #"{"path": "main.db"}"#)
                    let host = TestHost(databases: ["main": main], log: { line in lines.withLock { $0.append(line) } })
                    let database = try host.make(__NAME__Database.self, #"{"database": "main", "slow_ms": 0}"#)
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

            """##,
        readme: """
            # __NAME__

            Database `__TYPE__`: another database, of which transactions and queries that take long are logged. Point sources,
            sinks and queries at it instead of the other one while you look for what is slow.

            ```json
            { "type": "__TYPE__", "database": "main", "slow_ms": 100 }
            ```

            | field | |
            |---|---|
            | `database` | the database to look at: a name under `databases`, above this one |
            | `slow_ms` | what takes longer, waiting included, is logged |

            ## When things fail

            - As the other database does; this one is open once that one answers.

            """)
}
