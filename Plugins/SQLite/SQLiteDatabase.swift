public import Martlet

/// Database `sqlite`: one file, through libsqlite3, with a write-ahead log.
///
/// 1. decode: ``SQLiteConfig``.
/// 2. validate: the schema's and later every statement's syntax is checked by SQLite itself, in memory.
/// 3. open: opens the file on the writer's thread, switches it to WAL, runs the schema steps that are missing.
/// 4. work: transactions run one after the other on the writer's thread, each committed with one sync; queries run on
///    the readers' threads. Nothing blocks a thread of the cooperative pool.
/// 5. close: what is queued runs, then the connections are closed.
public final class SQLiteDatabase: EngineDatabase {
    public static let name = "sqlite"
    public static let summary = "keeps tables in one SQLite file; nothing else to install"

    package static let columnsQuery = SQLStatement(
        text: "SELECT name FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid", parameterNames: ["table"])

    private let settings: SQLiteSettings
    private let limits: DatabaseLimits
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
        limits = config.limits
        metrics = DatabaseMetrics(database: context.name, in: context.metrics)
        logger = context.logger
        lifeCycle = DatabaseLifeCycle(name: context.name)
    }

    package var work: any DatabaseWork { lifeCycle }

    public func prepare(_ sql: String) throws(SQLProblem) -> SQLStatement {
        let statement = try SQLDialect.sqlite.statement(sql)
        if let problem = SQLiteSyntax.problem(in: statement.text) { throw problem }
        return statement
    }

    public func open() async throws {
        let engine = DatabaseEngine<SQLiteConnection>(name: settings.name, limits: limits, metrics: metrics) {
            [settings] role throws(ModuleError) in
            try SQLiteConnection(settings, role: role)
        }
        try await lifeCycle.open(engine) { [settings, logger] engine in
            let steps = try await engine.open { connection throws(ModuleError) in
                try SQLiteSchema(settings).update(connection)
            }
            logger.info(
                "database open", ("database", settings.name), ("path", settings.path), ("schema_steps_run", "\(steps)"))
        }
    }
}
