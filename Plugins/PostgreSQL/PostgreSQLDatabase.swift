public import Martlet

/// Database `postgres`: a PostgreSQL server, through libpq.
///
/// 1. decode: ``PostgreSQLConfig``.
/// 2. validate: the url can be parsed, the schema holds nothing that must not run.
/// 3. open: connects the writer, runs the schema steps that are missing (under an advisory lock, so that of several
///    hosts one does it).
/// 4. work: transactions run one after the other on the writer's connection and thread, queries on the readers'. A lost
///    connection is made again; while the server is away jobs fail at once, as transient.
/// 5. close: what is queued runs, then the connections are closed.
public final class PostgreSQLDatabase: EngineDatabase {
    public static let name = "postgres"
    public static let summary = "keeps tables in a PostgreSQL server"

    package static let columnsQuery = SQLStatement(
        text: """
            SELECT attname::text FROM pg_catalog.pg_attribute
            WHERE attrelid = pg_catalog.to_regclass(pg_catalog.quote_ident($1)) AND attnum > 0 AND NOT attisdropped
            ORDER BY attnum
            """,
        parameterNames: ["table"])

    private let settings: PostgreSQLSettings
    private let limits: DatabaseLimits
    private let metrics: DatabaseMetrics
    private let logger: Logger
    private let lifeCycle: DatabaseLifeCycle<PostgreSQLConnection>
    private let predecessor = PostgreSQLPredecessor()
    private let plans = PostgreSQLPlans()

    public init?(config: PostgreSQLConfig, context: ModuleContext) {
        let hasGoodSchema = SchemaStep.check(config.schema, dialect: .postgreSQL, context: context)
        guard let settings = PostgreSQLSettings(config: config, context: context), hasGoodSchema else { return nil }
        self.settings = settings
        limits = config.limits
        metrics = DatabaseMetrics(database: context.name, in: context.metrics)
        logger = context.logger
        lifeCycle = DatabaseLifeCycle(name: context.name)
    }

    public var insertsAtOnce: Bool { true }

    public func readied(_ batch: RowBatch) throws(ModuleError) -> RowBatch {
        guard let plan = plans[batch.insert] else { return batch }
        var batch = batch
        batch.prepared = try PostgreSQLRows(batch.rows, plan, database: settings.name)
        return batch
    }

    package var work: any DatabaseWork { lifeCycle }

    public func prepare(_ sql: String) throws(SQLProblem) -> SQLStatement {
        try SQLDialect.postgreSQL.statement(sql)
    }

    public func open() async throws {
        let engine = DatabaseEngine<PostgreSQLConnection>(name: settings.name, limits: limits, metrics: metrics) {
            [settings, predecessor, plans] role throws(ModuleError) in
            try PostgreSQLConnection(settings, role: role, predecessor: predecessor, plans: plans)
        }
        try await lifeCycle.open(engine) { [settings, logger] engine in
            let opened = try await engine.open { connection throws(ModuleError) in
                (steps: try PostgreSQLSchema(settings).update(connection), server: connection.serverDescription)
            }
            logger.info(
                "database open", ("database", settings.name), ("server", opened.server),
                ("schema_steps_run", "\(opened.steps)"))
        }
    }

    /// Not started yet.
    func listener(on channel: String, wake: @escaping @Sendable () -> Void) -> PostgreSQLListener {
        PostgreSQLListener(settings, channel: channel, logger: logger, ring: wake)
    }
}
