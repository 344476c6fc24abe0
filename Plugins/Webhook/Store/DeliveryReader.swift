import Martlet

/// Reads deliveries for sending, beside the database's writer; each page is bounded in rows and in bytes, but has one row
/// if there is any.
struct DeliveryReader: Sendable {
    /// Some deliveries, and whether there may be more after them.
    struct Page: Sendable {
        let deliveries: [Delivery]
        let isLast: Bool
    }

    private let database: any Database
    private let channel: DataValue
    private let waiting: Statement
    private let ofKey: Statement
    private let due: Statement
    private let held: Statement
    private let endpointsAfter: Statement

    init(_ database: any Database, channel: String) throws(SQLProblem) {
        self.database = database
        self.channel = .text(channel)
        waiting = try Self.page("state = 0 AND id > :after", order: "id", database)
        ofKey = try Self.page("state = 0 AND id > :after AND id <= :through AND event_key = :key", order: "id", database)
        due = try Self.page("state = 1 AND due_at <= :now", order: "due_at", database)
        held = try Statement(
            """
            SELECT id, event_key, due_at FROM martlet_webhook_deliveries
            WHERE channel = :channel AND endpoint = :endpoint AND state = 1 ORDER BY due_at LIMIT :rows
            """, database)
        endpointsAfter = try Statement(
            """
            SELECT DISTINCT endpoint FROM martlet_webhook_deliveries
            WHERE channel = :channel AND id > :after AND id < :before AND state = 0
            """, database)
    }

    /// Sizes are added up first, since a hundred rows may be more than memory should hold. CROSS JOIN keeps SQLite from
    /// beginning at the other end.
    private static func page(_ condition: String, order: String, _ database: any Database) throws(SQLProblem) -> Statement {
        try Statement(
            """
            SELECT d.id, d.event_key, d.message_id, d.url, d.headers, d.body, d.attempts, d.failures
            FROM (SELECT id, SUM(size) OVER (ORDER BY \(order), id) - size AS size_before
                  FROM (SELECT id, size, due_at FROM martlet_webhook_deliveries
                        WHERE channel = :channel AND endpoint = :endpoint AND \(condition)
                        ORDER BY \(order) LIMIT :rows) AS candidates) AS sized
            CROSS JOIN martlet_webhook_deliveries AS d
            WHERE d.channel = :channel AND d.id = sized.id AND sized.size_before < :bytes
            ORDER BY d.\(order), d.id
            """, database)
    }

    /// Waiting deliveries of an endpoint with higher ids than `after`, in their order.
    func waiting(endpoint: String, after: Int64, rows: Int, bytes: Int) async throws -> Page {
        page(
            try await waiting.query(
                database, limit: rows, ("channel", channel), ("endpoint", .text(endpoint)), ("after", .integer(after)),
                ("rows", .integer(Int64(rows))), ("bytes", .integer(Int64(bytes)))), rows, bytes)
    }

    /// Waiting deliveries of one key, with ids in a range.
    func waiting(
        endpoint: String, key: Bytes, after: Int64, through: Int64, rows: Int, bytes: Int
    ) async throws -> Page {
        page(
            try await ofKey.query(
                database, limit: rows, ("channel", channel), ("endpoint", .text(endpoint)), ("after", .integer(after)),
                ("through", .integer(through)), ("key", .bytes(key)), ("rows", .integer(Int64(rows))),
                ("bytes", .integer(Int64(bytes)))), rows, bytes)
    }

    /// Deliveries whose retry is due, the longest waiting first.
    func due(endpoint: String, now: Int64, rows: Int, bytes: Int) async throws -> Page {
        page(
            try await due.query(
                database, limit: rows, ("channel", channel), ("endpoint", .text(endpoint)), ("now", .integer(now)),
                ("rows", .integer(Int64(rows))), ("bytes", .integer(Int64(bytes)))), rows, bytes)
    }

    /// The deliveries of an endpoint that wait for a retry, without what is to be sent.
    func held(endpoint: String, rows: Int) async throws -> [HeldDelivery] {
        try await held.query(
            database, limit: rows, ("channel", channel), ("endpoint", .text(endpoint)), ("rows", .integer(Int64(rows)))
        ).compactMap { row in
            guard row.count == 3, let id = row[0].int64, let dueAt = row[2].int64 else { return nil }
            return HeldDelivery(id: id, key: row[1].bytes, dueAt: dueAt)
        }
    }

    /// The endpoints that have waiting deliveries with ids between two others.
    func endpoints(after: Int64, before: Int64, limit: Int) async throws -> [String] {
        try await endpointsAfter.query(
            database, limit: limit, ("channel", channel), ("after", .integer(after)), ("before", .integer(before))
        ).compactMap { $0.first?.string }
    }

    private func page(_ rows: [[DataValue]], _ limit: Int, _ bytes: Int) -> Page {
        let deliveries = rows.compactMap { Delivery(row: $0) }
        // A page that was cut because of its bytes has at least as many as allowed.
        let isCut = rows.count == limit || deliveries.reduce(0) { $0 + $1.size } >= bytes
        return Page(deliveries: deliveries, isLast: !isCut)
    }
}
