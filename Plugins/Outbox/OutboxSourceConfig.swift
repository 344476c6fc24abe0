package import Martlet

/// The fields of `"type": "outbox"`.
package struct OutboxSourceConfig: ModuleConfig {
    /// What becomes of a row whose event is in the log.
    package enum After: String, CaseIterable, ConfigValue {
        case delete, mark
    }

    let database: ConfigText
    let table: ConfigText
    let idColumn: String
    let keyColumn: String?
    let payloadColumn: String?
    let after: After
    let markColumn: String?
    let place: ConfigPlace
    let listen: ConfigText?
    let pollMilliseconds: Int
    let batchEvents: Int

    package init(from fields: inout ConfigFields) {
        place = fields.place
        database = fields.required("database", "The database, by its name under `databases`.", example: "main")
        table = fields.required("table", "The table whose rows become events.", example: "outbox")
        idColumn = fields.optional("id_column", default: "id", "Unique, and rising: rows are taken in its order. It names the event.")
        keyColumn = fields.optional("key_column", "The column that holds the event's key; null is none.", example: "user_id")
        payloadColumn = fields.optional(
            "payload_column", "The column that holds the payload, JSON; left out, the payload is an object of all columns.", example: "payload")
        after = fields.optional("after", default: .delete, "What becomes of a row once its event is in the log: `delete` it, or `mark` it.")
        markColumn = fields.optional(
            "mark_column", "For `mark`: the column that is null until then, and gets the time in milliseconds (BIGINT).", example: "published_at")
        listen = fields.optional(
            "listen", "A channel on which the database tells of new rows (PostgreSQL's NOTIFY), so that they need not wait for the next poll.",
            example: "outbox")
        pollMilliseconds = fields.optional("poll_ms", default: 1000, in: 10...3_600_000, "How often the table is looked at.")
        batchEvents = fields.optional("batch_events", default: 500, in: 1...10_000, "Rows taken at once.")
        if (after == .mark) != (markColumn != nil) {
            fields.problem(at: "after", with: ["mark_column"], "`\"after\": \"mark\"` and `mark_column` go together")
        }
    }
}
