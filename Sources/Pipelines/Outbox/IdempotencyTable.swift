import Martlet

/// The answers given to requests with an `Idempotency-Key`, in the same database and transaction as what they saved.
///
/// ```
/// martlet_idempotency   source, key │ body_hash, event_id, saved (JSON), created_at
/// ```
///
/// A row without an event id is a save that changed nothing. Rows are kept for ``keptHours``.
struct IdempotencyTable: Sendable {
    static let keptHours: Int64 = 24

    private let createTable: SQLStatement
    private let createIndex: SQLStatement
    private let select: SQLStatement
    private let insert: SQLStatement
    private let expire: SQLStatement

    init(database: any Database) throws(SQLProblem) {
        createTable = try database.prepare(
            """
            CREATE TABLE IF NOT EXISTS martlet_idempotency (
              source TEXT NOT NULL, request_key TEXT NOT NULL, body_hash TEXT NOT NULL, event_id TEXT, saved TEXT,
              created_at BIGINT NOT NULL, PRIMARY KEY (source, request_key))
            """)
        // Old rows are looked for every few seconds, on the writer.
        createIndex = try database.prepare(
            "CREATE INDEX IF NOT EXISTS martlet_idempotency_by_age ON martlet_idempotency (created_at)")
        select = try database.prepare(
            "SELECT body_hash, event_id, saved FROM martlet_idempotency WHERE source = :source AND request_key = :request_key")
        insert = try database.prepare(
            """
            INSERT INTO martlet_idempotency(source, request_key, body_hash, event_id, saved, created_at)
            VALUES (:source, :request_key, :body_hash, :event_id, :saved, :created_at) ON CONFLICT DO NOTHING
            """)
        expire = try database.prepare("DELETE FROM martlet_idempotency WHERE created_at < :before")
    }

    func create(_ connection: any DatabaseConnection) throws {
        _ = try connection.execute(createTable, [])
        _ = try connection.execute(createIndex, [])
    }

    /// The answer that the key got before; nil if it is new. Another body is a conflict.
    func answer(to request: IdempotentRequest, _ connection: any DatabaseConnection) throws -> IntakeOutcome? {
        guard let row = try connection.execute(select, [.text(request.source), .text(request.key)]).rows.first,
            row.count == 3, case .text(let hash) = row[0]
        else { return nil }
        guard request.digest.matches(hash) else { return .conflict }
        guard case .text(let id) = row[1] else { return .unchanged }
        return .saved(id: Bytes(id), saved: SavedColumns.decode(row[2]))
    }

    /// Keeps the answer. Another host may have been faster with the same key: then this transaction must not stand, and when it is
    /// run again it finds that host's answer.
    func keep(
        _ outcome: IntakeOutcome, for request: IdempotentRequest, _ connection: any DatabaseConnection
    ) throws {
        var id = DataValue.null
        var columns = DataValue.null
        if case .saved(let eventID, let saved) = outcome {
            id = .text(eventID.string)
            columns = SavedColumns.encode(saved)
        }
        let result = try connection.execute(
            insert,
            [.text(request.source), .text(request.key), .text(request.digest.text), id, columns, .integer(Timestamp.now())])
        guard result.changes == 1 else {
            throw ModuleError.conflict(
                "idempotency.race", "another request with this Idempotency-Key is under way; try again")
        }
    }

    /// Forgets answers that are older than ``keptHours``.
    func expire(_ connection: any DatabaseConnection) throws {
        _ = try connection.execute(expire, [.integer(Timestamp.now() - Self.keptHours * 3_600_000)])
    }
}

/// What identifies a request that may be repeated.
struct IdempotentRequest: Sendable {
    let source: String
    let key: String
    /// Tells another body from the same one; not a secret.
    let digest: BodyDigest

    init(source: String, key: String, body: Bytes) {
        self.source = source
        self.key = key
        digest = BodyDigest(body)
    }
}
