public import Martlet
import Synchronization

/// What every ``Database`` promises, as a suite that an author runs on a new backend with one call:
///
/// ```swift
/// try await DatabaseContract.verify { request in
///     let folder = request.isReachable ? temporary : temporary + "/missing"
///     return try TestHost().make(
///         SQLiteDatabase.self, #"{"path": "\#(folder)/\#(request.store).db", \#(request.commonFields)}"#)
/// }
/// ```
///
/// It uses only the SQL that all backends share: TEXT, BIGINT, DOUBLE PRECISION, BOOLEAN, `ON CONFLICT`, `RETURNING`.
public struct DatabaseContract: Sendable {
    /// Makes a database that is not open yet, as a request asks for.
    public typealias Factory = @Sendable (DatabaseRequest) async throws -> any Database

    private let factory: Factory
    private let stores = StoreNumbers()

    /// Verifies all promises, one after the other; each over a store of its own.
    ///
    /// - Throws: ``ContractViolation`` for the first promise that is broken.
    public static func verify(_ factory: @escaping Factory) async throws {
        let contract = DatabaseContract(factory: factory)
        try await contract.verifyStatements()
        try await contract.verifyLifeCycle()
        try await contract.verifyCommitAndRollback()
        try await contract.verifyValues()
        try await contract.verifyManyStatements()
        try await contract.verifyErrorKinds()
        try await contract.verifyResults()
        try await contract.verifyQueries()
        try await contract.verifyInserts()
        try await contract.verifyConflictingInserts()
        try await contract.verifyOrder()
        try await contract.verifyIsolation()
        try await contract.verifyQueueLimit()
        try await contract.verifySchema()
        try await contract.verifySchemaRace()
        try await contract.verifyOffsets()
        try await contract.verifyFencing()
    }

    private init(factory: @escaping Factory) {
        self.factory = factory
    }

    /// The number of a store that no one has used.
    func newStore() -> Int { stores.next() }

    func make(_ request: DatabaseRequest) async throws -> any Database {
        try await factory(request)
    }

    /// An open database over a new store, closed when `body` is done.
    func withDatabase(
        _ schema: String..., writeQueue: Int? = nil, _ body: (any Database) async throws -> Void
    ) async throws {
        let steps = schema.enumerated().map { (id: "\($0.offset)", sql: $0.element) }
        let database = try await make(DatabaseRequest(store: newStore(), schema: steps, writeQueue: writeQueue))
        try await withOpen(database, body)
    }

    func withOpen(_ database: any Database, _ body: (any Database) async throws -> Void) async throws {
        do {
            try await database.open()
            try await body(database)
        } catch {
            await database.close()
            throw error
        }
        await database.close()
    }
}

/// Counts the stores of one run.
private final class StoreNumbers: Sendable {
    private let last = Atomic<Int>(0)

    func next() -> Int { last.wrappingAdd(1, ordering: .relaxed).newValue }
}

extension Database {
    /// Runs one statement in a transaction of its own.
    func run(_ sql: String, _ parameters: DataValue...) async throws -> ExecutionResult {
        let statement = try prepare(sql)
        return try await transaction { try $0.execute(statement, parameters) }
    }

    /// The rows of a query.
    func rows(_ sql: String, _ parameters: DataValue..., limit: Int = 10_000) async throws -> [[DataValue]] {
        try await query(try prepare(sql), parameters, limit: limit).rows
    }

    /// The first value of a query's first row.
    func value(_ sql: String) async throws -> DataValue? {
        try await rows(sql).first?.first
    }
}
