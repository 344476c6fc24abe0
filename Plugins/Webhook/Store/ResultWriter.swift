import Martlet

/// Writes down what became of attempts: many in one transaction.
struct ResultWriter: Sendable {
    private static let columns = [
        "channel", "delivery", "attempt", "endpoint", "started_at", "latency_ms", "status", "error", "answer",
    ]

    private let channel: DataValue
    private let insert = RowInsert(
        table: "martlet_webhook_attempts", columns: columns, onConflict: .ignore, conflictColumns: ["channel", "delivery", "attempt"])
    private let delivered: IDStatement
    private let retry: Statement

    init(_ database: any Database, channel: String) throws(SQLProblem) {
        self.channel = .text(channel)
        delivered = try IDStatement(
            """
            UPDATE martlet_webhook_deliveries SET state = 2, attempts = attempts + 1, finished_at = :now
            WHERE channel = :channel AND id IN (:ids) AND state < 2
            """, database)
        retry = try Statement(
            """
            UPDATE martlet_webhook_deliveries
            SET state = :state, attempts = :attempts, failures = :failures, due_at = :due_at, finished_at = :finished_at
            WHERE channel = :channel AND id = :id AND state < 2
            """, database)
    }

    /// - Parameter now: milliseconds since the epoch.
    func write(_ results: [AttemptResult], now: Int64, _ connection: any DatabaseConnection) throws(ModuleError) {
        _ = try connection.insertRows(insert, results.map { result in
            [
                channel, .integer(result.delivery), .integer(Int64(result.attempt)), .text(result.endpoint), .integer(result.startedAt),
                .integer(result.latencyMilliseconds), result.status.map { .integer(Int64($0)) } ?? .null,
                result.error.map { .text($0) } ?? .null, result.answer.isEmpty ? .null : .bytes(result.answer),
            ]
        })
        var done: [Int64] = []
        for result in results {
            switch result.next {
            case .delivered: done.append(result.delivery)
            case .retry(let dueAt): try write(result, .retrying, dueAt: dueAt, finishedAt: nil, connection)
            case .failed: try write(result, .failed, dueAt: 0, finishedAt: now, connection)
            }
        }
        _ = try delivered.run(connection, ids: done, ("channel", channel), ("now", .integer(now)))
    }

    private func write(
        _ result: AttemptResult, _ state: DeliveryState, dueAt: Int64, finishedAt: Int64?, _ connection: any DatabaseConnection
    ) throws(ModuleError) {
        try retry.run(
            connection, ("channel", channel), ("id", .integer(result.delivery)), ("state", .integer(state.rawValue)),
            ("attempts", .integer(Int64(result.attempt))), ("failures", .integer(Int64(result.failures))), ("due_at", .integer(dueAt)),
            ("finished_at", finishedAt.map { .integer($0) } ?? .null))
    }
}
