import Martlet

/// The tables of all webhook channels of a database, in the dialect common to all backends.
///
/// ```
/// martlet_webhook_channels    channel │ next_id, version
/// martlet_webhook_endpoints   channel, endpoint │ origin, url, secrets, event_types, …, state, reason, owner, lease_until
/// martlet_webhook_deliveries  channel, id │ endpoint, state, event_key, message_id, …, body, attempts, failures, due_at
/// martlet_webhook_attempts    channel, delivery, attempt │ endpoint, at, status, latency_ms, error, answer
/// martlet_webhook_hosts       channel, host │ seen_until
/// ```
///
/// Invariants:
/// - Ids of deliveries ascend in the order in which they were taken over: they are given under the lock of the channel's
///   row, which also makes hosts take over one after the other.
/// - `version` changes with every change of an endpoint, in the same transaction. Who takes records over compares it with
///   what it has read, so that no record is taken over for endpoints as they were.
/// - Of one endpoint and key at most one delivery is in state 1 (retrying), and its id is below those in state 0 (waiting).
/// - An endpoint is delivered to by its `owner`, until `lease_until`.
enum WebhookTables {
    /// Steps of the schema, each run once. A step that was released is not changed: add another.
    static let steps = [
        (
            "webhook-001",
            """
            CREATE TABLE martlet_webhook_channels (
              channel TEXT PRIMARY KEY, next_id BIGINT NOT NULL, version BIGINT NOT NULL);
            CREATE TABLE martlet_webhook_endpoints (
              channel TEXT NOT NULL, endpoint TEXT NOT NULL, origin TEXT NOT NULL, url TEXT, secrets TEXT, event_types TEXT,
              description TEXT, max_in_flight BIGINT, max_per_second BIGINT, state TEXT NOT NULL, reason TEXT,
              changed_at BIGINT NOT NULL, failing_since BIGINT, owner TEXT, lease_until BIGINT NOT NULL,
              created_at BIGINT NOT NULL, PRIMARY KEY (channel, endpoint));
            CREATE TABLE martlet_webhook_deliveries (
              channel TEXT NOT NULL, id BIGINT NOT NULL, endpoint TEXT NOT NULL, state INTEGER NOT NULL, event_key BYTEA,
              message_id TEXT NOT NULL, event_type TEXT NOT NULL, topic TEXT NOT NULL, topic_partition INTEGER NOT NULL,
              topic_offset BIGINT NOT NULL, url TEXT, headers TEXT, body BYTEA NOT NULL, size BIGINT NOT NULL,
              created_at BIGINT NOT NULL, attempts INTEGER NOT NULL, failures INTEGER NOT NULL, due_at BIGINT NOT NULL,
              finished_at BIGINT, PRIMARY KEY (channel, id));
            CREATE INDEX martlet_webhook_waiting ON martlet_webhook_deliveries (channel, endpoint, id) WHERE state = 0;
            CREATE INDEX martlet_webhook_retrying ON martlet_webhook_deliveries (channel, endpoint, due_at) WHERE state = 1;
            CREATE INDEX martlet_webhook_finished ON martlet_webhook_deliveries (channel, finished_at) WHERE state >= 2;
            CREATE TABLE martlet_webhook_attempts (
              channel TEXT NOT NULL, delivery BIGINT NOT NULL, attempt INTEGER NOT NULL, endpoint TEXT NOT NULL,
              started_at BIGINT NOT NULL, latency_ms BIGINT NOT NULL, status INTEGER, error TEXT, answer BYTEA,
              PRIMARY KEY (channel, delivery, attempt));
            CREATE TABLE martlet_webhook_hosts (
              channel TEXT NOT NULL, host TEXT NOT NULL, seen_until BIGINT NOT NULL, PRIMARY KEY (channel, host));
            """
        )
    ]

    private static let stepsTable = """
        CREATE TABLE IF NOT EXISTS martlet_webhook_schema (step TEXT PRIMARY KEY, ran_at BIGINT NOT NULL)
        """

    /// Runs the steps that have not run yet, in one transaction.
    static func create(in database: any Database) async throws {
        let createSteps = try database.prepare(stepsTable)
        let record = try database.prepare(
            "INSERT INTO martlet_webhook_schema (step, ran_at) VALUES (:step, :now) ON CONFLICT DO NOTHING")
        let statements = try steps.map { step, script in
            (step, try script.split(separator: ";").map { try database.prepare(String($0)) })
        }
        try await database.transaction { _ = try $0.execute(createSteps, []) }
        for (step, script) in statements {
            try await database.transaction { connection in
                // The row is the lock: of two hosts that open at the same time the second one waits, and then has nothing to do.
                let isNew = try connection.execute(record, [.text(step), .integer(Timestamp.now())]).changes == 1
                guard isNew else { return }
                for statement in script { _ = try connection.execute(statement, []) }
            }
        }
    }
}

/// Where a delivery stands.
enum DeliveryState: Int64, CaseIterable {
    case waiting = 0
    /// The first of its endpoint and key: tried, and waiting for `due_at`.
    case retrying = 1
    case delivered = 2
    /// The schedule is exhausted, or the endpoint is gone.
    case failed = 3
    /// A copy was queued again.
    case replayed = 4
    /// The endpoint was removed.
    case dropped = 5

    var name: String { "\(self)" }
}
