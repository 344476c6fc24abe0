public import Martlet

/// Sink `sql`: runs a statement for each record, and moves the group's offset in the same transaction.
///
/// 1. decode: ``SQLSinkConfig``.
/// 2. validate: the database exists, the statement can be parsed, parameters and templates match one to one.
/// 3. open: the database can plan the statement (its tables and columns are there); makes `martlet_offsets`.
/// 4. work: a batch is one transaction: even `UPDATE … SET n = n + 1` counts each record once, across crashes.
/// 5. close: nothing of its own; the database belongs to the host.
public final class SQLSink: TransactionalSink, OffsetWritingTarget {
    public static let name = "sql"
    public static let summary = "runs an SQL statement for each record, exactly once"

    private let statement: SQLStatement
    /// In the order of the statement's parameters.
    private let templates: TemplateSet
    private let payloads: any PayloadReader
    package let offsetWriter: OffsetWriter
    private let database: any Database
    /// Has the database plan the statement; nil for one that cannot be planned.
    private let explain: SQLStatement?

    public init?(config: SQLSinkConfig, context: ModuleContext) {
        let templates = context.templates(config.parameters, allowing: [.record, .header])
        guard let database = context.database(config.database) else { return nil }
        do {
            statement = try database.prepare(config.sql.plain)
            offsetWriter = try OffsetWriter(database)
            explain = Self.canBePlanned(statement) ? try database.prepare("EXPLAIN " + config.sql.plain) : nil
        } catch {
            context.problem(at: config.sql.place(atPlainOffset: error.offset ?? 0), error.message)
            return nil
        }
        guard Self.match(statement, config, context), let templates else { return nil }
        let keys = config.parameters.keys
        self.templates = TemplateSet(
            statement.parameterNames.compactMap { name in keys.firstIndex(of: name).map { templates.templates[$0] } })
        payloads = context.payloads
        self.database = database
    }

    public var hasAtomicBatches: Bool { true }

    public func open() async throws {
        if let explain {
            do {
                let values = explain.parameterNames.map { _ in DataValue.null }
                _ = try await database.transaction { try $0.execute(explain, values) }
            } catch let error as ModuleError where error.kind == .permanent {
                throw ModuleError.blocked("sink.statement", "the statement cannot be run: \(error.message)")
            }
        }
        try await offsetWriter.open()
    }

    public func write(_ batch: [Record]) async throws -> WriteResult {
        try await offsetWriter.write(batch, body(try values(of: batch)))
        return .handled
    }

    public func write(
        _ batch: [Record], moving partition: GroupPartition, from expected: Offset?, to next: Offset
    ) async throws {
        try await offsetWriter.write(batch, moving: partition, from: expected, to: next, body(try values(of: batch)))
    }

    public func close() async {}

    private func body(_ values: [[DataValue]]) -> OffsetWriter.Body {
        { [statement] connection, range throws(ModuleError) in
            _ = try connection.execute(range.map { StatementCall(statement, values[$0]) })
        }
    }

    private func values(of batch: [Record]) throws(ModuleError) -> [[DataValue]] {
        var values: [[DataValue]] = []
        values.reserveCapacity(batch.count)
        for record in batch { values.append(try templates.evaluate(TemplateInput(record), with: payloads)) }
        return values
    }

    private static func canBePlanned(_ statement: SQLStatement) -> Bool {
        let word = statement.text.drop { $0.isWhitespace }.prefix { $0.isLetter }.uppercased()
        return ["INSERT", "UPDATE", "DELETE", "SELECT", "WITH"].contains(word)
    }

    /// Reports parameters without a template and templates without a parameter.
    private static func match(_ statement: SQLStatement, _ config: SQLSinkConfig, _ context: ModuleContext) -> Bool {
        let keys = config.parameters.keys
        let missing = statement.parameterNames.filter { !keys.contains($0) }
        let unused = keys.filter { !statement.parameterNames.contains($0) }
        for name in missing {
            let nearest = Suggestion.nearest(to: name, among: unused).map { "; did you mean to name `\($0)` so?" } ?? ""
            context.problem(at: config.sql.place, "the parameter `:\(name)` has no template under `parameters`\(nearest)")
        }
        for entry in config.parameters where unused.contains(entry.key) {
            let nearest = Suggestion.question(for: entry.key, among: missing)
            context.problem(at: entry.keyPlace, "the statement has no parameter `:\(entry.key)`\(nearest)")
        }
        return missing.isEmpty && unused.isEmpty
    }
}
