import Martlet

/// The endpoints of a channel in the database. Each change also changes the channel's version, in one transaction.
struct EndpointStore: Sendable {
    /// The endpoints as they were at a version.
    struct Snapshot: Sendable {
        let version: Int64
        /// Without those that are being removed.
        let rows: [EndpointRow]
        let removed: [String]

        init(version: Int64, all rows: [EndpointRow]) {
            self.version = version
            self.rows = rows.filter { $0.state != .removed }
            removed = rows.filter { $0.state == .removed }.map(\.name)
        }
    }

    private let database: any Database
    private let channel: String
    private let maxEndpoints: Int
    private let vault: SecretVault
    private let makeChannel: Statement
    private let readChannel: Statement
    private let bumpVersion: Statement
    private let readAll: Statement
    private let readOne: Statement
    private let insert: Statement
    private let update: Statement
    private let delete: Statement
    private let noteFailing: Statement

    init(_ database: any Database, channel: String, maxEndpoints: Int, _ vault: SecretVault) throws(SQLProblem) {
        self.database = database
        self.vault = vault
        self.channel = channel
        self.maxEndpoints = maxEndpoints
        makeChannel = try Statement(
            "INSERT INTO martlet_webhook_channels (channel, next_id, version) VALUES (:channel, 1, 1) ON CONFLICT DO NOTHING", database)
        readChannel = try Statement("SELECT next_id, version FROM martlet_webhook_channels WHERE channel = :channel", database)
        bumpVersion = try Statement("UPDATE martlet_webhook_channels SET version = version + 1 WHERE channel = :channel", database)
        let select = "SELECT \(EndpointRow.columns) FROM martlet_webhook_endpoints WHERE channel = :channel"
        readAll = try Statement(select + " ORDER BY created_at, endpoint", database)
        readOne = try Statement(select + " AND endpoint = :endpoint", database)
        insert = try Statement(
            """
            INSERT INTO martlet_webhook_endpoints (
              channel, endpoint, origin, url, secrets, event_types, description, max_in_flight, max_per_second, state, reason,
              changed_at, failing_since, lease_until, created_at)
            VALUES (:channel, :endpoint, :origin, :url, :secrets, :event_types, :description, :max_in_flight, :max_per_second, :state,
              :reason, :changed_at, :failing_since, 0, :created_at) ON CONFLICT DO NOTHING
            """, database)
        update = try Statement(
            """
            UPDATE martlet_webhook_endpoints
            SET url = :url, secrets = :secrets, event_types = :event_types, description = :description, max_in_flight = :max_in_flight,
              max_per_second = :max_per_second, state = :state, reason = :reason, changed_at = :changed_at, failing_since = :failing_since
            WHERE channel = :channel AND endpoint = :endpoint
            """, database)
        delete = try Statement("DELETE FROM martlet_webhook_endpoints WHERE channel = :channel AND endpoint = :endpoint AND state = 'removed'", database)
        noteFailing = try Statement(
            "UPDATE martlet_webhook_endpoints SET failing_since = :since WHERE channel = :channel AND endpoint = :endpoint", database)
    }

    /// Makes the channel's row, and the endpoints of the config; those that are not in the config any more are removed. Secrets
    /// that a previous key has encrypted are written again.
    func synchronize(with configured: [String: EventFilter], now: Int64) async throws {
        try await database.transaction { [self] connection in
            try makeChannel.run(connection, ("channel", .text(channel)))
            let rows = try all(connection)
            // It changes nothing for anybody's work: the version stays.
            for row in rows where row.keys?.isOutdated == true { try write(row, connection) }
            var hasChanged = false
            for var row in rows where row.origin == .config && configured[row.name] == nil && row.state != .removed {
                row.state = .removed
                try write(row, connection)
                hasChanged = true
            }
            for (name, filter) in configured.sorted(by: { $0.key < $1.key }) {
                if var row = rows.first(where: { $0.name == name }) {
                    guard row.origin == .config else { throw Self.taken(name, channel) }
                    guard row.filter != filter || row.state == .removed else { continue }
                    row.filter = filter
                    if row.state == .removed { row.state = .active }
                    try write(row, connection)
                } else {
                    var row = EndpointRow(name: name, origin: .config, now: now)
                    row.filter = filter
                    try add(row, connection)
                }
                hasChanged = true
            }
            if hasChanged { try bump(connection) }
        }
    }

    private static func taken(_ name: String, _ channel: String) -> ModuleError {
        .blocked(
            "webhook.endpoint_exists",
            "the endpoint `\(name)` of the config of channel \(channel) was made through the admin API before; delete that one, or "
                + "choose another name")
    }

    /// Version and the id that the next delivery gets, read beside the writer; nil before the channel is made.
    func progress() async throws -> (nextID: Int64, version: Int64)? {
        let row = try await readChannel.query(database, limit: 1, ("channel", .text(channel))).first
        guard let row, let next = row[0].int64, let version = row[1].int64 else { return nil }
        return (next, version)
    }

    func snapshot() async throws -> Snapshot {
        try await database.transaction { [self] connection in
            let version = try readChannel.run(connection, ("channel", .text(channel))).rows.first?.last?.int64
            return Snapshot(version: version ?? 0, all: try all(connection))
        }
    }

    /// Adds an endpoint; false if there is one of that name.
    func create(_ row: EndpointRow) async throws -> Bool {
        try await database.transaction { [self] connection in
            let rows = try all(connection)
            guard !rows.contains(where: { $0.name == row.name }) else { return false }
            guard rows.count < maxEndpoints else {
                throw ModuleError.permanent(
                    "webhook.too_many_endpoints", "the channel \(channel) has \(rows.count) endpoints, as many as `max_endpoints` allows")
            }
            try add(row, connection)
            try bump(connection)
            return true
        }
    }

    /// Changes an endpoint. Nil if there is none of that name; unchanged if `change` returns false.
    func change(_ name: String, _ change: @escaping @Sendable (inout EndpointRow) throws -> Bool) async throws -> EndpointRow? {
        try await database.transaction { [self] connection in
            let found = try readOne.run(connection, ("channel", .text(channel)), ("endpoint", .text(name))).rows.first
            guard let found else { return nil }
            var row = try EndpointRow(row: found, vault)
            guard row.state != .removed else { return nil }
            guard try change(&row) else { return row }
            try write(row, connection)
            try bump(connection)
            return row
        }
    }

    /// Removes the row of an endpoint that nothing waits for any more, unless the config has it again.
    func finishRemoval(of name: String) async throws {
        try await database.transaction { [self] connection in
            _ = try delete.run(connection, ("channel", .text(channel)), ("endpoint", .text(name)))
        }
    }

    /// Notes since when an endpoint has failed; the version stays, since nobody's work changes by it.
    func note(_ name: String, failingSince since: Int64?) async throws {
        try await database.transaction { [self] connection in
            _ = try noteFailing.run(
                connection, ("since", since.map { .integer($0) } ?? .null), ("channel", .text(channel)), ("endpoint", .text(name)))
        }
    }

    // MARK: Inside a transaction

    func all(_ connection: any DatabaseConnection) throws(ModuleError) -> [EndpointRow] {
        var rows: [EndpointRow] = []
        for row in try readAll.run(connection, ("channel", .text(channel))).rows { rows.append(try EndpointRow(row: row, vault)) }
        return rows
    }

    private func add(_ row: EndpointRow, _ connection: any DatabaseConnection) throws(ModuleError) {
        _ = try connection.execute(insert.sql, insert.values([("channel", .text(channel))] + row.values(vault)))
    }

    private func write(_ row: EndpointRow, _ connection: any DatabaseConnection) throws(ModuleError) {
        _ = try connection.execute(update.sql, update.values([("channel", .text(channel))] + row.values(vault)))
    }

    private func bump(_ connection: any DatabaseConnection) throws(ModuleError) {
        try bumpVersion.run(connection, ("channel", .text(channel)))
    }
}
