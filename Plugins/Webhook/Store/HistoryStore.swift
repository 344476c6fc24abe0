import Martlet

/// What an operator sees and does of deliveries and attempts.
struct HistoryStore: Sendable {
    /// Which deliveries are meant.
    struct Selection: Sendable {
        var endpoint: String?
        var state: DeliveryState?
        /// When they were taken over, in milliseconds since the epoch.
        var since: Int64 = 0
        var until: Int64 = .max
        /// Only those with higher ids.
        var after: Int64 = 0
    }

    /// Deliveries that one transaction queues again.
    private static let replayRows = 500

    private let database: any Database
    private let channel: DataValue
    private let name: String
    private let list: Statement
    private let attempts: Statement
    private let attemptsOfDelivery: Statement
    private let candidates: Statement
    private let one: Statement
    private let reserve: Statement
    private let copy: Statement
    private let mark: Statement

    init(_ database: any Database, channel: String) throws(SQLProblem) {
        self.database = database
        self.channel = .text(channel)
        name = channel
        let condition = """
            channel = :channel AND (:endpoint = '' OR endpoint = :endpoint) AND (:state < 0 OR state = :state)
              AND created_at >= :since AND created_at <= :until
            """
        list = try Statement(
            """
            SELECT id, endpoint, state, event_key, message_id, event_type, topic, topic_partition, topic_offset, attempts, due_at,
              created_at, finished_at, size
            FROM martlet_webhook_deliveries WHERE \(condition) AND id < :before ORDER BY id DESC LIMIT :rows
            """, database)
        let columns = "delivery, attempt, endpoint, started_at, latency_ms, status, error, answer"
        attempts = try Statement(
            """
            SELECT \(columns) FROM martlet_webhook_attempts
            WHERE channel = :channel AND (:endpoint = '' OR endpoint = :endpoint) AND started_at >= :since
            ORDER BY delivery DESC, attempt DESC LIMIT :rows
            """, database)
        attemptsOfDelivery = try Statement(
            """
            SELECT \(columns) FROM martlet_webhook_attempts WHERE channel = :channel AND delivery = :delivery
            ORDER BY attempt DESC LIMIT :rows
            """, database)
        // A copy for an endpoint that is gone would wait for ever, or for whoever takes its name.
        let isThere = """
            endpoint IN (SELECT endpoint FROM martlet_webhook_endpoints WHERE channel = :channel AND state <> 'removed')
            """
        candidates = try Statement(
            """
            SELECT id, endpoint FROM martlet_webhook_deliveries
            WHERE \(condition) AND state >= 2 AND state < 4 AND id > :after AND id < :before AND \(isThere) ORDER BY id LIMIT :rows
            """, database)
        one = try Statement(
            """
            SELECT id, endpoint FROM martlet_webhook_deliveries
            WHERE channel = :channel AND id = :id AND state >= 2 AND state < 4 AND \(isThere)
            """, database)
        reserve = try Statement(
            "UPDATE martlet_webhook_channels SET next_id = next_id + :count WHERE channel = :channel RETURNING next_id", database)
        copy = try Statement(
            """
            INSERT INTO martlet_webhook_deliveries (
              channel, id, endpoint, state, event_key, message_id, event_type, topic, topic_partition, topic_offset, url, headers, body,
              size, created_at, attempts, failures, due_at)
            SELECT channel, :new, endpoint, 0, event_key, message_id, event_type, topic, topic_partition, topic_offset, url, headers, body,
              size, created_at, 0, 0, 0
            FROM martlet_webhook_deliveries WHERE channel = :channel AND id = :id
            """, database)
        mark = try Statement("UPDATE martlet_webhook_deliveries SET state = 4 WHERE channel = :channel AND id = :id", database)
    }

    private func named(_ selection: Selection) -> [(String, DataValue)] {
        [
            ("channel", channel), ("endpoint", .text(selection.endpoint ?? "")), ("state", .integer(selection.state?.rawValue ?? -1)),
            ("since", .integer(selection.since)), ("until", .integer(selection.until)),
        ]
    }

    /// Deliveries, the newest first.
    func deliveries(_ selection: Selection, before: Int64, limit: Int) async throws -> [JSONNode] {
        let values = list.values(named(selection) + [("before", .integer(before)), ("rows", .integer(Int64(limit)))])
        return try await database.query(list.sql, values, limit: limit).rows.map { row in
            [
                "id": Self.json(row[0]), "endpoint": Self.json(row[1]),
                "state": .string(row[2].int64.flatMap(DeliveryState.init(rawValue:))?.name ?? "unknown"),
                "key": row[3].string.map { .string($0) } ?? .null, "webhook_id": Self.json(row[4]), "event_type": Self.json(row[5]),
                "topic": Self.json(row[6]), "partition": Self.json(row[7]), "offset": Self.json(row[8]), "attempts": Self.json(row[9]),
                "due_at": row[2].int64 == DeliveryState.retrying.rawValue ? Self.json(row[10]) : .null, "created_at": Self.json(row[11]),
                "finished_at": Self.json(row[12]),
            ]
        }
    }

    /// Attempts, those of the newest deliveries first.
    func attempts(endpoint: String?, delivery: Int64?, since: Int64, limit: Int) async throws -> [JSONNode] {
        let statement = delivery == nil ? attempts : attemptsOfDelivery
        let values = statement.values([
            ("channel", channel), ("endpoint", .text(endpoint ?? "")), ("since", .integer(since)),
            ("delivery", .integer(delivery ?? 0)), ("rows", .integer(Int64(limit))),
        ])
        return try await database.query(statement.sql, values, limit: limit).rows.map { row in
            [
                "delivery": Self.json(row[0]), "attempt": Self.json(row[1]), "endpoint": Self.json(row[2]), "started_at": Self.json(row[3]),
                "latency_ms": Self.json(row[4]), "status": Self.json(row[5]), "error": Self.json(row[6]),
                "answer": row[7].string.map { .string($0) } ?? .null,
            ]
        }
    }

    private static func json(_ value: DataValue) -> JSONNode {
        switch value {
        case .integer(let number): .integer(number)
        case .text(let text), .json(let text): .string(text)
        case .bytes(let bytes): .string(bytes.string)
        case .bool(let flag): .bool(flag)
        case .double(let number): .number(number)
        case .null: .null
        }
    }

    // MARK: Replay

    /// What one step of a replay has queued.
    struct Replayed: Sendable {
        let count: Int
        let endpoints: [String]
        /// Where the next step goes on; nil if there is nothing left.
        let next: Int64?
    }

    /// Queues copies of finished deliveries behind what waits, in their order; each keeps its webhook-id.
    ///
    /// - Parameter before: only deliveries with lower ids, so that copies are not copied again.
    func replay(_ selection: Selection, before: Int64) async throws -> Replayed {
        try await database.transaction { [self] connection in
            try lock(connection)
            let values = candidates.values(
                named(selection) + [
                    ("after", .integer(selection.after)), ("before", .integer(before)), ("rows", .integer(Int64(Self.replayRows))),
                ])
            let rows = try connection.execute(candidates.sql, values).rows
            let replayed = try requeue(rows, connection)
            let next = rows.count == Self.replayRows ? rows.last?[0].int64 : nil
            return Replayed(count: replayed.count, endpoints: replayed.endpoints, next: next)
        }
    }

    /// Queues a copy of one finished delivery; nil if there is none.
    func replay(delivery: Int64) async throws -> Replayed? {
        try await database.transaction { [self] connection in
            try lock(connection)
            let rows = try one.run(connection, ("channel", channel), ("id", .integer(delivery))).rows
            return rows.isEmpty ? nil : try requeue(rows, connection)
        }
    }

    /// Whoever changes endpoints waits until this transaction has ended.
    private func lock(_ connection: any DatabaseConnection) throws(ModuleError) {
        try reserve.run(connection, ("count", .integer(0)), ("channel", channel))
    }

    private func requeue(_ rows: [[DataValue]], _ connection: any DatabaseConnection) throws(ModuleError) -> Replayed {
        guard !rows.isEmpty else { return Replayed(count: 0, endpoints: [], next: nil) }
        let reserved = try reserve.run(connection, ("count", .integer(Int64(rows.count))), ("channel", channel)).rows.first?.first?.int64
        guard let reserved else {
            throw .blocked("webhook.no_channel", "the table martlet_webhook_channels has no row for the channel \(name); was it deleted?")
        }
        for (index, row) in rows.enumerated() {
            let new = reserved - Int64(rows.count) + Int64(index)
            try copy.run(connection, ("new", .integer(new)), ("channel", channel), ("id", row[0]))
            try mark.run(connection, ("channel", channel), ("id", row[0]))
        }
        return Replayed(count: rows.count, endpoints: Array(Set(rows.compactMap { $0[1].string })), next: nil)
    }
}
