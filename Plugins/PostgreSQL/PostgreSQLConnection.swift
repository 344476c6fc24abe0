import CPQ
import Martlet

/// One connection to the server, used by one thread.
final class PostgreSQLConnection: DatabaseConnection, BackendConnection {
    let settings: PostgreSQLSettings
    let link: PostgreSQLLink
    let statements: PostgreSQLStatements
    let role: ConnectionRole
    /// Plans of bulk inserts, by insert; made again with the connection or after an error.
    var inserts: [RowInsert: PostgreSQLInsert] = [:]
    let parameters = PostgreSQLParameters()
    let plans: PostgreSQLPlans
    private var mustReconnect = false
    private var isInTransaction = false
    /// BEGIN leaves with the transaction's first statements, which saves a round trip.
    private var mustBegin = false
    /// COMMIT has left with the transaction's last statements, and was answered.
    var hasCommitted = false
    /// The first failed statement of the transaction, which then cannot be committed.
    private var failure: ModuleError?

    /// - Parameters:
    ///   - predecessor: the database's writer before this one; a reader has none.
    ///   - plans: told what the connection learns of tables.
    init(
        _ settings: PostgreSQLSettings, role: ConnectionRole, predecessor: PostgreSQLPredecessor, plans: PostgreSQLPlans
    ) throws(ModuleError) {
        self.plans = plans
        self.settings = settings
        self.role = role
        link = try PostgreSQLLink(settings)
        statements = PostgreSQLStatements(link, role: role)
        try configure()
        if role != .reader { try predecessor.settle(link, role: role) }
    }

    var isSpoiled: Bool { link.isBroken || mustReconnect }

    /// `host:port/database`, without user and password.
    var serverDescription: String { link.place }

    private func configure() throws(ModuleError) {
        let settings = [
            "SET statement_timeout = \(settings.statementTimeoutMilliseconds)",
            // A host that hangs in the middle of a transaction must not hold its locks for ever.
            "SET idle_in_transaction_session_timeout = 60000",
            // What the scanner of statements, and the reading of values, count on.
            "SET standard_conforming_strings = on", "SET bytea_output = 'hex'", "SET extra_float_digits = 1",
            "SET DateStyle = 'ISO'", "SET default_transaction_isolation = 'read committed'",
        ]
        // A writer leaves it as it is: a server that was set so, for a move or because its disk is nearly full, takes no rows.
        let readOnly = role == .reader ? ["SET default_transaction_read_only = on"] : []
        try command((settings + readOnly).joined(separator: "; "))
        guard role != .reader else { return }
        var isStandby = false
        try link.run("SELECT pg_is_in_recovery()", role: role, { PQsendQuery($0, "SELECT pg_catalog.pg_is_in_recovery()") }) { result in
            isStandby = PQntuples(result) == 1 && PQgetvalue(result, 0, 0).map { String(cString: $0) } == "t"
            return true
        }
        if isStandby {
            throw .transient(
                "postgres.read_only",
                "database `\(self.settings.name)`: \(link.place) is a standby, which only reads; with several hosts in `url` add "
                    + "target_session_attrs=read-write")
        }
    }

    /// Runs statements of the platform's own, as they are.
    func command(_ sql: String, isUnlimited: Bool = false) throws(ModuleError) {
        try link.run(sql, role: role, isUnlimited: isUnlimited, { PQsendQuery($0, sql) }, each: { _ in true })
    }

    // MARK: Transactions

    func begin() throws(ModuleError) {
        guard link.isAlive else { throw link.lost("BEGIN") }
        mustBegin = true
    }

    /// Sends BEGIN by itself, if it has not left yet.
    func beginNow() throws(ModuleError) {
        guard mustBegin else { return }
        mustBegin = false
        try command("BEGIN")
    }

    /// Sends commands together, and BEGIN ahead of them if it has not left yet. See ``PostgreSQLLink/runPipelined(_:sql:role:send:each:)``.
    func runTogether(
        _ count: Int, sql: (Int) -> String, send: (Int, OpaquePointer) throws(ModuleError) -> CInt,
        each: (Int, OpaquePointer) throws(ModuleError) -> Void
    ) throws(ModuleError) {
        let begins = mustBegin ? 1 : 0
        mustBegin = false
        try link.runPipelined(begins + count, sql: { $0 < begins ? "BEGIN" : sql($0 - begins) }, role: role) {
            number, handle throws(ModuleError) in
            guard number < begins else { return try send(number - begins, handle) }
            return PQsendQueryParams(handle, "BEGIN", 0, nil, nil, nil, nil, 0)
        } each: { number, result throws(ModuleError) in
            if number >= begins { try each(number - begins, result) }
        }
    }

    func complete(_ body: (any DatabaseConnection) throws -> Void) throws(ModuleError) {
        isInTransaction = true
        hasCommitted = false
        failure = nil
        defer { isInTransaction = false }
        do {
            try body(self)
            if let failure { throw failure }
        } catch {
            rollBack()
            throw failure ?? DatabaseError.body(error, settings.name)
        }
        try commit()
    }

    private func rollBack() {
        // The error that matters is the one that led here; what cannot roll back is closed, which rolls back.
        do { if !mustBegin { try command("ROLLBACK") } } catch { mustReconnect = true }
        mustBegin = false
        guard let failure else { return }
        // The server may have forgotten statements, changed tables, or become a standby.
        if failure.kind != .permanent { inserts = [:] }
        switch failure.code {
        case "postgres.statement_forgotten", "postgres.statement_changed", "postgres.read_only": mustReconnect = true
        default: break
        }
    }

    private func commit() throws(ModuleError) {
        guard !hasCommitted else { return }
        guard !mustBegin else { return mustBegin = false }
        var tag = ""
        do {
            try link.run("COMMIT", role: role, { PQsendQuery($0, "COMMIT") }) { result in
                tag = PQcmdStatus(result).map { String(cString: $0) } ?? ""
                return true
            }
        } catch {
            guard link.isBroken else {
                // A deferred constraint: the server has rolled back.
                throw error
            }
            throw uncertainCommit(error)
        }
        guard tag == "COMMIT" else {
            throw .transient(
                "postgres.rolled_back", "database `\(settings.name)`: the server rolled the transaction back (\(tag))")
        }
    }

    /// The connection was lost after COMMIT had left.
    func uncertainCommit(_ error: ModuleError) -> ModuleError {
        .transient(
            DatabaseError.commitUncertainCode,
            "\(error.message); the transaction may have been committed or not: a group's stored offset tells, and a save is "
                + "answered with an error")
    }

    /// Whether a statement of the schema has ended the transaction that it ran in.
    var hasLostTransaction: Bool { isInTransaction && PQtransactionStatus(link.handle) != PQTRANS_INTRANS }

    func execute(_ statement: SQLStatement, _ parameters: [DataValue]) throws(ModuleError) -> ExecutionResult {
        try dooming { () throws(ModuleError) in
            let outcome = try run(statement, parameters, limit: ResultLimits.rows, isLimitError: true)
            return ExecutionResult(changes: outcome.changes, columns: outcome.columns, rows: outcome.rows)
        }
    }

    /// Notes a failed statement, so that the transaction is rolled back whatever its body makes of the error.
    ///
    /// - Parameter begins: whether BEGIN may still wait, for what sends it itself.
    func dooming<Value>(begins: Bool = false, _ work: () throws(ModuleError) -> Value) throws(ModuleError) -> Value {
        precondition(isInTransaction, "the connection of a transaction was used after its body returned")
        precondition(!hasCommitted, "the connection of a transaction was used after its last rows")
        if let failure { throw failure }
        do {
            if !begins { try beginNow() }
            return try work()
        } catch {
            failure = error
            throw error
        }
    }

    // MARK: Queries

    func query(
        _ statement: SQLStatement, _ parameters: [DataValue], limit: Int, _ cancellation: Cancellation
    ) throws(ModuleError) -> QueryResult {
        do {
            let outcome = try run(statement, parameters, limit: limit, isLimitError: false)
            return QueryResult(columns: outcome.columns, rows: outcome.rows)
        } catch {
            switch error.code {
            case "postgres.statement_forgotten", "postgres.statement_changed": mustReconnect = true
            default: break
            }
            throw error
        }
    }

    /// What a statement came to, from its results as they arrive.
    private struct Outcome {
        private(set) var changes = 0
        private(set) var columns: [String] = []
        private(set) var rows: [[DataValue]] = []
        private var bytes = 0

        /// Returns whether more is wanted.
        mutating func take(
            _ result: OpaquePointer, limit: Int, isLimitError: Bool, _ sql: String, _ database: String
        ) throws(ModuleError) -> Bool {
            if columns.isEmpty { columns = PostgreSQLValue.columns(result) }
            for row in 0..<PQntuples(result) {
                if rows.count == limit {
                    if isLimitError { throw DatabaseError.tooLarge(database, "\(limit) rows", sql) }
                    return false
                }
                rows.append(PostgreSQLValue.row(result, row, &bytes))
            }
            if bytes > ResultLimits.bytes { throw DatabaseError.tooLarge(database, "\(ResultLimits.bytes) bytes", sql) }
            changes = PostgreSQLConnection.changes(result)
            return true
        }
    }

    private func run(
        _ statement: SQLStatement, _ values: [DataValue], limit: Int, isLimitError: Bool
    ) throws(ModuleError) -> Outcome {
        let count = statement.parameterNames.count
        precondition(values.count == count, "\(values.count) values for \(count) parameters: \(statement.text)")
        let prepared = try statements.statement(statement.text)
        try parameters.set(values, types: prepared.parameterTypes, database: settings.name)
        var outcome = Outcome()
        try link.run(
            prepared.sql, role: role, oneByOne: true, { [parameters] in parameters.send(prepared.name, on: $0) }
        ) { result throws(ModuleError) in
            try outcome.take(result, limit: limit, isLimitError: isLimitError, prepared.sql, settings.name)
        }
        return outcome
    }

    /// Statements that leave together, at most. Fewer than are kept prepared, so that none of them makes room for another.
    private static var pipelineLimit: Int { 200 }

    func execute(_ calls: [StatementCall]) throws(ModuleError) -> [ExecutionResult] {
        var results: [ExecutionResult] = []
        results.reserveCapacity(calls.count)
        var rest = calls[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.pipelineLimit)
            rest = rest.dropFirst(part.count)
            if part.count == 1, let call = part.first {
                results.append(try execute(call.statement, call.parameters))
            } else {
                results += try dooming(begins: true) { () throws(ModuleError) in try runTogether(Array(part)) }
            }
        }
        return results
    }

    private func runTogether(_ calls: [StatementCall]) throws(ModuleError) -> [ExecutionResult] {
        var prepared: [PostgreSQLPrepared] = []
        prepared.reserveCapacity(calls.count)
        for call in calls { prepared.append(try statements.statement(call.statement.text)) }
        var outcomes = [Outcome](repeating: Outcome(), count: calls.count)
        try runTogether(calls.count, sql: { prepared[$0].sql }) { number, handle throws(ModuleError) in
            try parameters.set(calls[number].parameters, types: prepared[number].parameterTypes, database: settings.name)
            return parameters.send(prepared[number].name, on: handle)
        } each: { number, result throws(ModuleError) in
            _ = try outcomes[number].take(
                result, limit: ResultLimits.rows, isLimitError: true, prepared[number].sql, settings.name)
        }
        return outcomes.map { ExecutionResult(changes: $0.changes, columns: $0.columns, rows: $0.rows) }
    }

    /// Rows that INSERT, UPDATE, DELETE or MERGE changed; a SELECT's count is none of them.
    static func changes(_ result: OpaquePointer) -> Int {
        guard let tag = PQcmdStatus(result).map({ String(cString: $0) }), !tag.hasPrefix("SELECT"),
            let count = PQcmdTuples(result)
        else { return 0 }
        return Int(String(cString: count)) ?? 0
    }
}
