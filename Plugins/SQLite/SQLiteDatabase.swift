public import Martlet

/// Database `sqlite`: one file, through libsqlite3, with a write-ahead log.
///
/// 1. decode: ``SQLiteConfig``.
/// 2. validate: the schema's and later every statement's syntax is checked by SQLite itself, in memory.
/// 3. open: opens the file on the writer's thread, switches it to WAL, runs the schema steps that are missing.
/// 4. work: transactions run one after the other on the writer's thread, each committed with one sync; queries run on
///    the readers' threads. Nothing blocks a thread of the cooperative pool.
/// 5. close: what is queued runs, then the connections are closed.
public final class SQLiteDatabase: Database {
    public static let name = "sqlite"
    public static let summary = "keeps tables in one SQLite file; nothing else to install"

    private let settings: SQLiteSettings
    private let metrics: DatabaseMetrics
    private let logger: Logger
    private let lifeCycle: DatabaseLifeCycle<SQLiteConnection>

    public init?(config: SQLiteConfig, context: ModuleContext) {
        guard !config.path.plain.isEmpty, !config.path.plain.hasPrefix(":memory:"), !config.path.plain.utf8.contains(0) else {
            context.problem(
                at: config.path.place, "must be the path of a file (`:memory:` would lose everything), for example \"data/main.db\"")
            return nil
        }
        guard SchemaStep.check(config.schema, dialect: .sqlite, context: context) else { return nil }
        var isGood = true
        for step in config.schema {
            guard let problem = SQLiteSyntax.problem(inScript: step.text) else { continue }
            context.problem(
                at: step.sql.place(atPlainOffset: problem.offset ?? 0), "step `\(step.id)`: \(problem.message)")
            isGood = false
        }
        guard isGood else { return nil }
        settings = SQLiteSettings(name: context.name, path: context.path(config.path.plain), config: config)
        metrics = DatabaseMetrics(database: context.name, in: context.metrics)
        logger = context.logger
        lifeCycle = DatabaseLifeCycle(name: context.name)
    }

    public func prepare(_ sql: String) throws(SQLProblem) -> SQLStatement {
        let statement = try SQLDialect.sqlite.statement(sql)
        if let problem = SQLiteSyntax.problem(in: statement.text) { throw problem }
        return statement
    }

    public func open() async throws {
        let engine = DatabaseEngine<SQLiteConnection>(
            name: settings.name,
            limits: .init(readers: settings.readers, writeQueue: settings.writeQueue, readQueue: settings.readQueue),
            metrics: metrics
        ) { [settings] role throws(ModuleError) in try SQLiteConnection(settings, role: role) }
        try await lifeCycle.open(engine) { [settings, logger] engine in
            let steps = try await engine.open { connection throws(ModuleError) in
                try SQLiteSchema(settings).update(connection)
            }
            logger.info(
                "database open", ("database", settings.name), ("path", settings.path), ("schema_steps_run", "\(steps)"))
        }
    }

    public func transaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        do {
            try lifeCycle.engine().transaction(body, completion: completion)
        } catch {
            completion(.failure(error))
        }
    }

    public func urgentTransaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        do {
            try lifeCycle.engine().transaction(isUrgent: true, body, completion: completion)
        } catch {
            completion(.failure(error))
        }
    }

    public func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult {
        try await lifeCycle.engine().query(statement, parameters, limit: limit)
    }

    public func columns(of table: String) async throws -> [String]? {
        let statement = SQLStatement(
            text: "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid", parameterNames: ["table"])
        let result = try await query(statement, [.text(table)], limit: ResultLimits.rows)
        let names = result.rows.compactMap { row -> String? in
            if case .text(let name)? = row.first { name } else { nil }
        }
        return names.isEmpty ? nil : names
    }

    public func close() async {
        await lifeCycle.close()
    }
}
