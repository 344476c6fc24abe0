import Martlet

/// Removes what is past its time, and what belongs to endpoints that are gone; a little at a time.
struct UpkeepStore: Sendable {
    /// Rows that one transaction removes: the database's writer has others to serve.
    static let pageRows = 500

    private let database: any Database
    private let channel: DataValue
    private let countFinished: Statement
    private let old: Statement
    private let orphans: [Statement]
    private let backlog: Statement
    private let removeDeliveries: IDStatement
    private let removeAttempts: IDStatement
    private let drop: IDStatement

    init(_ database: any Database, channel: String) throws(SQLProblem) {
        self.database = database
        self.channel = .text(channel)
        countFinished = try Statement(
            "SELECT COUNT(*) FROM martlet_webhook_deliveries WHERE channel = :channel AND state >= 2", database)
        old = try Statement(
            """
            SELECT id FROM martlet_webhook_deliveries WHERE channel = :channel AND state >= 2 AND finished_at <= :before
            ORDER BY finished_at LIMIT :rows
            """, database)
        orphans = try [DeliveryState.waiting, .retrying].map { state throws(SQLProblem) in
            try Statement(
                """
                SELECT id FROM martlet_webhook_deliveries
                WHERE channel = :channel AND endpoint = :endpoint AND state = \(state.rawValue) LIMIT :rows
                """, database)
        }
        backlog = try Statement(
            """
            SELECT COUNT(*) FROM (
              SELECT id FROM martlet_webhook_deliveries WHERE channel = :channel AND endpoint = :endpoint AND state = 0 LIMIT :limit) AS waiting
            """, database)
        removeDeliveries = try IDStatement(
            "DELETE FROM martlet_webhook_deliveries WHERE channel = :channel AND id IN (:ids) AND state >= 2", database)
        removeAttempts = try IDStatement(
            "DELETE FROM martlet_webhook_attempts WHERE channel = :channel AND delivery IN (:ids)", database)
        drop = try IDStatement(
            """
            UPDATE martlet_webhook_deliveries SET state = 5, finished_at = :now
            WHERE channel = :channel AND id IN (:ids) AND state < 2
            """, database)
    }

    func countOfFinished() async throws -> Int {
        Int(try await countFinished.query(database, limit: 1, ("channel", channel)).first?.first?.int64 ?? 0)
    }

    /// Removes deliveries that were finished at `time` or before, with their attempts: the oldest, at most ``pageRows``.
    /// Returns how many.
    func remove(finishedBefore time: Int64, atMost limit: Int = pageRows) async throws -> Int {
        let rows = min(limit, Self.pageRows)
        let ids = try await old.query(
            database, limit: rows, ("channel", channel), ("before", .integer(time)), ("rows", .integer(Int64(rows)))
        ).compactMap { $0.first?.int64 }
        guard !ids.isEmpty else { return 0 }
        return try await database.transaction { [self] connection in
            _ = try removeAttempts.run(connection, ids: ids, ("channel", channel))
            return try removeDeliveries.run(connection, ids: ids, ("channel", channel))
        }
    }

    /// Drops deliveries that wait for an endpoint that is being removed. Returns how many; 0 once there are no more.
    func dropWaiting(for endpoint: String, now: Int64) async throws -> Int {
        var found: [Int64] = []
        for statement in orphans {
            found += try await statement.query(
                database, limit: Self.pageRows, ("channel", channel), ("endpoint", .text(endpoint)),
                ("rows", .integer(Int64(Self.pageRows)))
            ).compactMap { $0.first?.int64 }
        }
        let ids = found
        guard !ids.isEmpty else { return 0 }
        return try await database.transaction { [self] connection in
            try drop.run(connection, ids: ids, ("channel", channel), ("now", .integer(now)))
        }
    }

    /// How many deliveries wait for an endpoint, counted up to a limit.
    func backlog(of endpoint: String, upTo limit: Int) async throws -> Int {
        let count = try await backlog.query(
            database, limit: 1, ("channel", channel), ("endpoint", .text(endpoint)), ("limit", .integer(Int64(limit)))
        ).first?.first?.int64
        return Int(count ?? 0)
    }
}
