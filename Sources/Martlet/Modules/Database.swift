/// A named persistence backend, shared by sources, sinks and queries.
///
/// SQL in the config uses named parameters (`:name`) and the dialect common to all backends. Writes run one
/// transaction at a time on the database's own thread; reads run beside them.
public protocol Database: Module {
    /// Checks one statement without connecting: a single statement, no transaction control, parameters found.
    func prepare(_ sql: String) throws(SQLProblem) -> SQLStatement

    /// Connects and runs the configured schema steps that have not run yet.
    func open() async throws

    /// Queues `body` for the database's writer. It runs alone in one transaction on the database's thread, which
    /// commits (synced, as configured) when it returns and rolls back when it throws, or when a statement in it failed
    /// (also if the body went on): the completion gets the first error. Then `completion` is called
    /// there too; it must not block. At most `write_queue` bodies wait; beyond it the completion gets a
    /// transient error at once.
    func transaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    )

    /// Like ``transaction(_:completion:)``, and ahead of those that wait, for what a client waits for. The others still have
    /// their turn every few milliseconds.
    func urgentTransaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    )

    /// Reads rows beside the writer, in the statement's order. At most `limit` rows come back.
    ///
    /// - Throws: ``ModuleError``, transient while the database is away, not open, or has `read_queue` queries waiting;
    ///   `CancellationError` if the task is cancelled.
    func query(_ statement: SQLStatement, _ parameters: [DataValue], limit: Int) async throws -> QueryResult

    /// Whether many rows are best inserted at once, as over a network. If not, inserting takes this process's time, and may
    /// begin while later rows are still being made.
    var insertsAtOnce: Bool { get }

    /// Makes rows ready to be inserted, on the calling thread, so that the database's own thread need not.
    ///
    /// - Throws: permanent, for a value that its column cannot take.
    func readied(_ batch: RowBatch) throws(ModuleError) -> RowBatch

    /// The columns of a table in its order; nil if there is no such table. Throws as ``query(_:_:limit:)`` does.
    func columns(of table: String) async throws -> [String]?

    /// Returns when what was queued has run and the connections are closed. It may be opened again.
    func close() async
}

extension Database {
    public var insertsAtOnce: Bool { false }

    public func readied(_ batch: RowBatch) throws(ModuleError) -> RowBatch { batch }

    public func urgentTransaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Void,
        completion: @escaping @Sendable (Result<Void, ModuleError>) -> Void
    ) {
        transaction(body, completion: completion)
    }

    /// Runs `body` in one transaction and returns its value. See ``transaction(_:completion:)``.
    public func transaction<Value: Sendable>(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Value
    ) async throws -> Value {
        let slot = ResultSlot<Value>()
        return try await withCheckedThrowingContinuation { continuation in
            transaction({ connection in slot.value = try body(connection) }, completion: { result in
                switch result {
                case .success:
                    if let value = slot.value { return continuation.resume(returning: value) }
                    continuation.resume(
                        throwing: ModuleError.blocked(
                            "database.body_not_run",
                            "the database answered that a transaction was committed whose body had not returned: this is a defect of the module"))
                case .failure(let error):
                    continuation.resume(throwing: error)
                }
            })
        }
    }
}

/// A database that tells at once that something was written, so that whoever polls a table need not wait for the next poll.
public protocol NotifyingDatabase: Database {
    /// Calls `wake`, on any thread, whenever the channel was notified or may have been: also when listening began, and after
    /// a lost connection. It goes on until the subscription is cancelled or the database closed. Never fails: while the server is away it
    /// tries again.
    func listen(on channel: String, wake: @escaping @Sendable () -> Void) -> Subscription
}

/// Carries a body's value from the database's thread to the waiting task.
private final class ResultSlot<Value: Sendable>: @unchecked Sendable {
    // Unchecked: written by the body and read by the completion, both on the database's thread, one after the other.
    var value: Value?
}

/// A transaction in progress, usable only inside its body and on its thread.
public protocol DatabaseConnection {
    /// Runs a prepared statement; parameters in the order of ``SQLStatement/parameterNames``.
    func execute(_ statement: SQLStatement, _ parameters: [DataValue]) throws(ModuleError) -> ExecutionResult

    /// Runs statements one after the other, each seeing what those before it did; a result for each. The first that fails
    /// fails all. A backend over a network sends them together, without waiting for an answer in between.
    func execute(_ calls: [StatementCall]) throws(ModuleError) -> [ExecutionResult]

    /// Inserts many rows the fastest way the backend has. Returns how many rows were inserted or updated.
    func insertRows(_ insert: RowInsert, _ rows: [[DataValue]]) throws(ModuleError) -> Int

    /// Runs `first`, and inserts the rows if it has changed any. A backend over a network sends both together: after nil, which
    /// says that `first` has changed nothing, the body must throw.
    ///
    /// - Parameters:
    ///   - first: an INSERT, UPDATE or DELETE without RETURNING.
    ///   - isLast: the body returns after it, so that a backend over a network may send the commit along.
    func insertRows(_ batch: RowBatch, ifChanged first: StatementCall, isLast: Bool) throws(ModuleError) -> Int?
}

extension DatabaseConnection {
    public func insertRows(_ batch: RowBatch, ifChanged first: StatementCall, isLast: Bool) throws(ModuleError) -> Int? {
        guard try execute(first.statement, first.parameters).changes > 0 else { return nil }
        return try insertRows(batch.insert, batch.rows)
    }

    public func execute(_ calls: [StatementCall]) throws(ModuleError) -> [ExecutionResult] {
        var results: [ExecutionResult] = []
        results.reserveCapacity(calls.count)
        for call in calls { results.append(try execute(call.statement, call.parameters)) }
        return results
    }
}

/// A statement with the values of its parameters.
public struct StatementCall: Sendable {
    public let statement: SQLStatement
    /// In the order of ``SQLStatement/parameterNames``.
    public let parameters: [DataValue]

    public init(_ statement: SQLStatement, _ parameters: [DataValue]) {
        self.statement = statement
        self.parameters = parameters
    }
}

/// What a statement did.
public struct ExecutionResult: Sendable {
    /// Rows inserted, updated or deleted.
    public let changes: Int
    /// The columns of `RETURNING` or `SELECT`.
    public let columns: [String]
    public let rows: [[DataValue]]

    public init(changes: Int, columns: [String], rows: [[DataValue]]) {
        self.changes = changes
        self.columns = columns
        self.rows = rows
    }
}

/// Rows of a query.
public struct QueryResult: Sendable {
    public let columns: [String]
    public let rows: [[DataValue]]

    public init(columns: [String], rows: [[DataValue]]) {
        self.columns = columns
        self.rows = rows
    }
}

/// A multi-row insert. Table and column names are quoted by the backend.
public struct RowInsert: Sendable, Hashable {
    /// What happens to a row that breaks a unique constraint.
    public enum OnConflict: String, Sendable, CaseIterable {
        case ignore, update, fail
    }

    public let table: String
    public let columns: [String]
    public let onConflict: OnConflict
    /// The unique columns that `update` matches on; empty otherwise.
    public let conflictColumns: [String]

    public init(table: String, columns: [String], onConflict: OnConflict, conflictColumns: [String] = []) {
        self.table = table
        self.columns = columns
        self.onConflict = onConflict
        self.conflictColumns = conflictColumns
    }
}

/// Rows for one insert.
public struct RowBatch: Sendable {
    public let insert: RowInsert
    public let rows: [[DataValue]]
    /// What ``Database/readied(_:)`` has made of the rows, of a type of the backend's own.
    public var prepared: (any Sendable)?

    public init(_ insert: RowInsert, _ rows: [[DataValue]]) {
        self.insert = insert
        self.rows = rows
    }
}

/// A statement checked and translated for one backend.
public struct SQLStatement: Sendable, Hashable {
    /// The text with the backend's own placeholders.
    public let text: String
    /// The names of the parameters, in the order in which values are bound; each name once.
    public let parameterNames: [String]

    public init(text: String, parameterNames: [String]) {
        self.text = text
        self.parameterNames = parameterNames
    }
}

/// What is wrong with a statement in the config.
public struct SQLProblem: Error, Sendable {
    public let message: String
    /// Where in the statement, in UTF-8 bytes; nil if it has no place.
    public let offset: Int?

    public init(_ message: String, at offset: Int? = nil) {
        self.message = message
        self.offset = offset
    }
}
