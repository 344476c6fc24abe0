import Martlet

/// The SQL of the outbox, in the dialect common to all databases.
///
/// ```
/// martlet_outbox          owner, sequence │ topic, event_id, event_key, headers (JSON), payload, timestamp
/// martlet_outbox_owners   owner │ producer_id, epoch, lease_until
/// ```
///
/// An owner is a host with its data folder. `sequence` is `epoch << 32 | counter`; each opening takes the next epoch,
/// so that sequences ascend for ever even though acknowledged rows are deleted: the log drops what it has by them.
struct OutboxTable: Sendable {
    private static let columns = ["owner", "sequence", "topic", "event_id", "event_key", "headers", "payload", "timestamp"]

    private let createOutbox: SQLStatement
    private let createOwners: SQLStatement
    private let claim: SQLStatement
    private let count: SQLStatement
    private let measure: SQLStatement
    private let countOwn: SQLStatement
    private let select: SQLStatement
    private let remove: SQLStatement
    private let renew: SQLStatement
    private let abandoned: SQLStatement
    private let takeLease: SQLStatement
    private let insert = RowInsert(table: "martlet_outbox", columns: columns, onConflict: .fail)

    init(database: any Database) throws(SQLProblem) {
        createOutbox = try database.prepare(
            """
            CREATE TABLE IF NOT EXISTS martlet_outbox (
              owner TEXT NOT NULL, sequence BIGINT NOT NULL, topic TEXT NOT NULL, event_id TEXT NOT NULL,
              event_key BYTEA, headers TEXT, payload BYTEA NOT NULL, timestamp BIGINT NOT NULL,
              PRIMARY KEY (owner, sequence))
            """)
        createOwners = try database.prepare(
            """
            CREATE TABLE IF NOT EXISTS martlet_outbox_owners (
              owner TEXT PRIMARY KEY, producer_id BIGINT NOT NULL, epoch BIGINT NOT NULL, lease_until BIGINT NOT NULL)
            """)
        claim = try database.prepare(
            """
            INSERT INTO martlet_outbox_owners(owner, producer_id, epoch, lease_until)
            VALUES (:owner, :producer_id, :epoch, :lease_until)
            ON CONFLICT (owner) DO UPDATE
            SET epoch = CASE WHEN martlet_outbox_owners.epoch >= excluded.epoch
                THEN martlet_outbox_owners.epoch + 1 ELSE excluded.epoch END,
              lease_until = excluded.lease_until
            RETURNING producer_id, epoch
            """)
        count = try database.prepare("SELECT COUNT(*) FROM martlet_outbox")
        measure = try database.prepare(
            """
            SELECT sequence, LENGTH(payload) + COALESCE(LENGTH(headers), 0) + COALESCE(LENGTH(event_key), 0)
            FROM martlet_outbox WHERE owner = :owner AND sequence > :after ORDER BY sequence LIMIT :limit
            """)
        countOwn = try database.prepare("SELECT COUNT(*) FROM martlet_outbox WHERE owner = :owner")
        select = try database.prepare(
            """
            SELECT sequence, topic, event_id, event_key, headers, payload, timestamp FROM martlet_outbox
            WHERE owner = :owner AND sequence > :after AND sequence <= :through ORDER BY sequence
            """)
        remove = try database.prepare("DELETE FROM martlet_outbox WHERE owner = :owner AND sequence <= :through")
        renew = try database.prepare(
            "UPDATE martlet_outbox_owners SET lease_until = :lease_until WHERE owner = :owner")
        abandoned = try database.prepare(
            """
            SELECT owner, producer_id, lease_until FROM martlet_outbox_owners
            WHERE owner <> :owner AND lease_until < :now
              AND EXISTS (SELECT 1 FROM martlet_outbox WHERE martlet_outbox.owner = martlet_outbox_owners.owner)
            """)
        takeLease = try database.prepare(
            """
            UPDATE martlet_outbox_owners SET lease_until = :lease_until
            WHERE owner = :owner AND lease_until = :seen
            """)
    }

    /// An owner whose host has not renewed its lease while rows of it wait.
    struct AbandonedOwner: Sendable {
        let name: String
        let producerID: Int64
        let leaseUntil: Int64
    }

    func create(_ connection: any DatabaseConnection) throws {
        _ = try connection.execute(createOutbox, [])
        _ = try connection.execute(createOwners, [])
    }

    /// Registers the owner with a new epoch. A new owner gets `producerID`.
    func claim(
        owner: String, producerID: Int64, leaseUntil: Int64, _ connection: any DatabaseConnection
    ) throws -> (producerID: Int64, epoch: Int64) {
        let result = try connection.execute(claim, [.text(owner), .integer(producerID), .integer(Self.newEpoch), .integer(leaseUntil)])
        guard let row = result.rows.first, case .integer(let producerID) = row[0], case .integer(let epoch) = row[1] else {
            throw ModuleError.blocked(
                "outbox.claim_failed", "the database gave no epoch for outbox owner \(owner); check martlet_outbox_owners")
        }
        return (producerID, epoch)
    }

    /// Seconds since 2020, so that a database that was restored from a backup does not number rows again that the log
    /// has seen since: it would drop them. Fits until 2088.
    private static var newEpoch: Int64 { max(1, Timestamp.now() / 1000 - 1_577_836_800) }

    /// All waiting rows, of every owner.
    func count(_ connection: any DatabaseConnection) throws -> Int {
        guard case .integer(let count)? = try connection.execute(count, []).rows.first?.first else { return 0 }
        return Int(count)
    }

    /// The waiting rows of one owner.
    func count(owner: String, _ connection: any DatabaseConnection) throws -> Int {
        guard case .integer(let count)? = try connection.execute(countOwn, [.text(owner)]).rows.first?.first else { return 0 }
        return Int(count)
    }

    func insert(_ rows: [OutboxRow], owner: String, _ connection: any DatabaseConnection) throws {
        _ = try connection.insertRows(insert, rows.map { row in
            [
                .text(owner), .integer(row.sequence), .text(row.topic.text), .text(row.event.id.string),
                row.event.key.map(DataValue.bytes) ?? .null, HeaderText.encode(row.event.headers).map(DataValue.text) ?? .null,
                .bytes(row.event.payload), .integer(row.event.timestamp),
            ]
        })
    }

    /// The next rows of an owner in their order, as many as fit into the limits, but one if there is any.
    func page(
        owner: String, after: Int64, rowLimit: Int, byteLimit: Int, _ connection: any DatabaseConnection
    ) throws -> (rows: [OutboxRow], isLast: Bool) {
        // Sizes first: a thousand rows may be more than memory should hold.
        let sizes = try connection.execute(measure, [.text(owner), .integer(after), .integer(Int64(rowLimit))]).rows
        var through: Int64?
        var bytes: Int64 = 0
        var count = 0
        for row in sizes {
            guard case .integer(let sequence) = row[0], case .integer(let size) = row[1] else { break }
            bytes += size
            if count > 0, bytes > Int64(byteLimit) { break }
            count += 1
            through = sequence
        }
        guard let through else { return ([], true) }
        let rows = try connection.execute(select, [.text(owner), .integer(after), .integer(through)]).rows.map(Self.decode)
        return (rows, count == sizes.count && count < rowLimit)
    }

    func remove(owner: String, through: Int64, _ connection: any DatabaseConnection) throws -> Int {
        try connection.execute(remove, [.text(owner), .integer(through)]).changes
    }

    func renew(owner: String, leaseUntil: Int64, _ connection: any DatabaseConnection) throws {
        _ = try connection.execute(renew, [.integer(leaseUntil), .text(owner)])
    }

    func abandonedOwners(besides owner: String, now: Int64, _ connection: any DatabaseConnection) throws -> [AbandonedOwner] {
        try connection.execute(abandoned, [.text(owner), .integer(now)]).rows.compactMap { row in
            guard case .text(let name) = row[0], case .integer(let producerID) = row[1], case .integer(let lease) = row[2]
            else { return nil }
            return AbandonedOwner(name: name, producerID: producerID, leaseUntil: lease)
        }
    }

    /// Whether this host got the abandoned owner's lease; another host may have been faster.
    func takeLease(of owner: AbandonedOwner, until: Int64, _ connection: any DatabaseConnection) throws -> Bool {
        try connection.execute(takeLease, [.integer(until), .text(owner.name), .integer(owner.leaseUntil)]).changes == 1
    }

    private static func decode(_ row: [DataValue]) throws -> OutboxRow {
        guard row.count == 7, case .integer(let sequence) = row[0], case .text(let topic) = row[1],
            case .text(let id) = row[2], case .integer(let timestamp) = row[6], let payload = row[5].asBytes
        else {
            throw ModuleError.blocked(
                "outbox.bad_row", "a row of martlet_outbox does not have the types it was written with; was it edited?")
        }
        var headers: [Header] = []
        if case .text(let text) = row[4] { headers = try HeaderText.decode(text) }
        let event = Event(id: Bytes(id), key: row[3].asBytes, headers: headers, payload: payload, timestamp: timestamp)
        return OutboxRow(sequence: sequence, topic: TopicName(topic), event: event)
    }
}

extension DataValue {
    fileprivate var asBytes: Bytes? {
        switch self {
        case .bytes(let bytes): bytes
        case .text(let text), .json(let text): Bytes(text)
        case .null, .bool, .integer, .double: nil
        }
    }
}
