import Martlet

/// Takes records over as rows of deliveries, one for each endpoint that wants them.
struct DeliveryWriter: Sendable {
    /// A row before it has its id.
    struct Row: Sendable {
        /// The index of the record in its batch.
        let record: Int
        let endpoint: String
        let values: [DataValue]
    }

    /// What was taken over.
    struct Taken: Sendable {
        let firstID: Int64
        let count: Int
    }

    /// The code of the error for endpoints that have changed since they were read.
    static let changedCode = "webhook.endpoints_changed"

    private static let columns = [
        "channel", "id", "endpoint", "state", "event_key", "message_id", "event_type", "topic", "topic_partition", "topic_offset", "url",
        "headers", "body", "size", "created_at", "attempts", "failures", "due_at",
    ]

    private let channel: String
    private let insert = RowInsert(table: "martlet_webhook_deliveries", columns: columns, onConflict: .fail)
    private let reserve: Statement

    init(_ database: any Database, channel: String) throws(SQLProblem) {
        self.channel = channel
        reserve = try Statement(
            "UPDATE martlet_webhook_channels SET next_id = next_id + :count WHERE channel = :channel RETURNING next_id, version", database)
    }

    /// A row of a record for an endpoint.
    func row(
        _ record: Record, index: Int, endpoint: String, url: String?, _ message: RenderedMessage, now: Int64
    ) -> Row {
        let values: [DataValue] = [
            record.event.key.map { .bytes($0) } ?? .null, .text(message.id), .text(message.type), .text(record.topic.text),
            .integer(Int64(record.partition)), .integer(record.offset), url.map { .text($0) } ?? .null,
            message.headerText.map { .text($0) } ?? .null, .bytes(message.body), .integer(Int64(message.body.count + 512)), .integer(now),
            .integer(0), .integer(0), .integer(0),
        ]
        return Row(record: index, endpoint: endpoint, values: values)
    }

    /// Writes rows in their order, inside the caller's transaction.
    ///
    /// - Throws: transient, ``changedCode``, if endpoints are not at `version` any more.
    func write(
        _ rows: ArraySlice<Row>, version: Int64, _ connection: any DatabaseConnection
    ) throws(ModuleError) -> Taken {
        let reserved = try reserve.run(connection, ("count", .integer(Int64(rows.count))), ("channel", .text(channel))).rows.first
        guard let reserved, let next = reserved[0].int64, let found = reserved[1].int64 else {
            throw .blocked(
                "webhook.no_channel", "the table martlet_webhook_channels has no row for the channel \(channel); was it deleted?")
        }
        guard found == version else {
            throw .transient(Self.changedCode, "the endpoints of the channel \(channel) have changed")
        }
        let first = next - Int64(rows.count)
        guard !rows.isEmpty else { return Taken(firstID: first, count: 0) }
        let prefix = DataValue.text(channel)
        let values = rows.enumerated().map { index, row in
            [prefix, .integer(first + Int64(index)), .text(row.endpoint), .integer(DeliveryState.waiting.rawValue)] + row.values
        }
        _ = try connection.insertRows(insert, values)
        return Taken(firstID: first, count: rows.count)
    }
}
