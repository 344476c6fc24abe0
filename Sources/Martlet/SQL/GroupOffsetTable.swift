/// Keeps groups' offsets in a database, beside the rows that a group writes, so that both are committed together.
///
/// The table `martlet_offsets` has one row per group, topic and partition. The row is the only truth for its group: a
/// commit moves it from the offset that the writer believes in, so that a second owner of the partition is noticed.
/// All methods run inside the caller's transaction, on the database's thread.
public struct GroupOffsetTable: Sendable {
    /// The code of the error for an offset that another owner has moved.
    public static let fencedCode = "group.fenced"
    /// The code of the error for an offset of a log that no longer exists.
    public static let unknownIncarnationCode = "group.unknown_incarnation"

    private let createTable: SQLStatement
    private let selectRow: SQLStatement
    private let insertRow: SQLStatement
    private let moveRow: SQLStatement
    private let deleteRow: SQLStatement

    /// Prepares the statements; does not connect.
    public init(_ database: any Database) throws(SQLProblem) {
        createTable = try database.prepare(
            """
            CREATE TABLE IF NOT EXISTS martlet_offsets (
              "group" TEXT NOT NULL, topic TEXT NOT NULL, incarnation TEXT NOT NULL, "partition" INTEGER NOT NULL,
              "offset" BIGINT NOT NULL, PRIMARY KEY ("group", topic, "partition"))
            """)
        selectRow = try database.prepare(
            """
            SELECT incarnation, "offset" FROM martlet_offsets
            WHERE "group" = :group AND topic = :topic AND "partition" = :partition
            """)
        insertRow = try database.prepare(
            """
            INSERT INTO martlet_offsets ("group", topic, incarnation, "partition", "offset")
            VALUES (:group, :topic, :incarnation, :partition, :next) ON CONFLICT DO NOTHING
            """)
        moveRow = try database.prepare(
            """
            UPDATE martlet_offsets SET "offset" = :next
            WHERE "group" = :group AND topic = :topic AND "partition" = :partition
              AND incarnation = :incarnation AND "offset" = :expected
            """)
        deleteRow = try database.prepare(
            "DELETE FROM martlet_offsets WHERE \"group\" = :group AND topic = :topic AND \"partition\" = :partition")
    }

    /// Makes the table if it is not there.
    public func create(in connection: any DatabaseConnection) throws(ModuleError) {
        _ = try connection.execute(createTable, [])
    }

    /// The offset of the next record to consume; nil if the partition was never committed.
    ///
    /// - Throws: blocked, `group.unknown_incarnation`, if the row belongs to another incarnation of the topic.
    public func offset(
        of partition: GroupPartition, in connection: any DatabaseConnection
    ) throws(ModuleError) -> Offset? {
        guard let row = try row(of: partition, in: connection) else { return nil }
        guard row.incarnation == partition.incarnation else { throw unknownIncarnation(partition, row.incarnation) }
        return row.offset
    }

    /// Moves the offset from `expected` (nil: no row yet) to `next`.
    ///
    /// - Throws: blocked, `group.fenced` if the row is not at `expected`, `group.unknown_incarnation` if it belongs to
    ///   another incarnation of the topic.
    public func move(
        _ partition: GroupPartition, from expected: Offset?, to next: Offset, in connection: any DatabaseConnection
    ) throws(ModuleError) {
        let call = moving(partition, from: expected, to: next)
        guard try connection.execute(call.statement, call.parameters).changes == 0 else { return }
        throw try conflict(partition, expected: expected, in: connection)
    }

    /// The statement that moves the offset from `expected` (nil: no row yet) to `next`; it changes no row if it is not there.
    package func moving(_ partition: GroupPartition, from expected: Offset?, to next: Offset) -> StatementCall {
        if let expected {
            return StatementCall(
                moveRow, values(moveRow, partition, ["next": .integer(next), "expected": .integer(expected)]))
        }
        return StatementCall(insertRow, values(insertRow, partition, ["next": .integer(next)]))
    }

    /// Why ``moving(_:from:to:)`` has changed nothing.
    package func conflict(
        _ partition: GroupPartition, expected: Offset?, in connection: any DatabaseConnection
    ) throws(ModuleError) -> ModuleError {
        let found = try row(of: partition, in: connection)
        if let found, found.incarnation != partition.incarnation {
            return unknownIncarnation(partition, found.incarnation)
        }
        return .blocked(
            Self.fencedCode,
            "group \(partition.group), partition \(partition.partition) of topic \(partition.topic): the database has the offset "
                + "\(found.map { String($0.offset) } ?? "none") where \(expected.map { String($0) } ?? "none") was expected, so "
                + "another host (or a reset) has moved it; the group goes on from there. Only one host may run a group: stop the other one")
    }

    /// Sets the offset whatever it was, and the incarnation with it; nil forgets the row.
    public func reset(
        _ partition: GroupPartition, to offset: Offset?, in connection: any DatabaseConnection
    ) throws(ModuleError) {
        _ = try connection.execute(deleteRow, values(deleteRow, partition))
        guard let offset else { return }
        _ = try connection.execute(insertRow, values(insertRow, partition, ["next": .integer(offset)]))
    }

    private func row(
        of partition: GroupPartition, in connection: any DatabaseConnection
    ) throws(ModuleError) -> (incarnation: String, offset: Offset)? {
        let rows = try connection.execute(selectRow, values(selectRow, partition)).rows
        guard let row = rows.first else { return nil }
        guard row.count == 2, case .text(let incarnation) = row[0], case .integer(let offset) = row[1] else {
            throw .blocked(
                "group.offsets_unreadable",
                "the table martlet_offsets does not hold an incarnation and an offset for group \(partition.group); it is not "
                    + "the table that Martlet makes: rename it")
        }
        return (incarnation, offset)
    }

    private func values(
        _ statement: SQLStatement, _ partition: GroupPartition, _ others: [String: DataValue] = [:]
    ) -> [DataValue] {
        statement.parameterNames.map { name in
            switch name {
            case "group": .text(partition.group.text)
            case "topic": .text(partition.topic.text)
            case "incarnation": .text(partition.incarnation)
            case "partition": .integer(Int64(partition.partition))
            default: others[name] ?? .null
            }
        }
    }

    private func unknownIncarnation(_ partition: GroupPartition, _ stored: String) -> ModuleError {
        .blocked(
            Self.unknownIncarnationCode,
            "group \(partition.group), partition \(partition.partition): its offset belongs to an earlier topic \(partition.topic) "
                + "(incarnation \(stored); the log now has \(partition.incarnation)), so the log was wiped or another one is used; "
                + "reset the group to say where it goes on: `martlet groups reset \(partition.group) --to earliest`")
    }
}
