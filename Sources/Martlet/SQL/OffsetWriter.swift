import Synchronization

/// Writes records and moves their group's offset in one transaction.
///
/// A commit whose answer was lost may have taken place. Such an offset is remembered, and the next try looks first
/// whether it is stored: what it covers is not written again.
package final class OffsetWriter: Sendable {
    /// Writes the records with these indices of the batch.
    package typealias Body = @Sendable (any DatabaseConnection, Range<Int>) throws(ModuleError) -> Void

    /// Runs the statement, and writes the records with these indices if it has changed a row; else returns false.
    package typealias MovingBody =
        @Sendable (any DatabaseConnection, Range<Int>, StatementCall) throws(ModuleError) -> Bool

    /// What a body throws that moved no offset; never seen outside.
    private static let notMoved = ModuleError.blocked("group.not_moved", "the stored offset is not the expected one")

    private let database: any Database
    private let offsets: GroupOffsetTable
    /// Offsets whose commit may have taken place. A partition retries the same commit, so each has one or two.
    private let uncertain = Mutex<[GroupPartition: Set<Offset>]>([:])

    /// Prepares the statements; does not connect.
    package init(_ database: any Database) throws(SQLProblem) {
        self.database = database
        offsets = try GroupOffsetTable(database)
    }

    /// Makes the table of offsets.
    package func open() async throws {
        try await database.transaction { [offsets] in try offsets.create(in: $0) }
    }

    /// The stored offset; nil if the partition was never committed.
    package func offset(of partition: GroupPartition) async throws -> Offset? {
        try await database.transaction { [offsets] in try offsets.offset(of: partition, in: $0) }
    }

    /// Sets the stored offset, for a group that does not run.
    package func reset(_ partition: GroupPartition, to offset: Offset?) async throws {
        try await database.transaction { [offsets] connection in
            // The group does not run, so its sink may never have been opened.
            try offsets.create(in: connection)
            try offsets.reset(partition, to: offset, in: connection)
        }
    }

    /// Writes without an offset.
    ///
    /// - Parameter meanwhile: runs on the calling thread once the transaction is queued, to feed its body.
    package func write(_ batch: [Record], _ body: @escaping Body, meanwhile: () -> Void = {}) async throws {
        _ = try await transaction(
            { connection in
                try body(connection, batch.indices)
                return nil
            }, meanwhile)
    }

    /// Moves the stored offset and writes.
    ///
    /// - Parameter batch: ordered by offset.
    package func write(
        _ batch: [Record], moving partition: GroupPartition, from expected: Offset?, to next: Offset, _ body: @escaping Body
    ) async throws {
        try await write(batch, moving: partition, from: expected, to: next, movingWith: { connection, range, move throws(ModuleError) in
            guard try connection.execute(move.statement, move.parameters).changes > 0 else { return false }
            try body(connection, range)
            return true
        })
    }

    /// Moves the stored offset and writes, with a body that does both.
    ///
    /// - Parameters:
    ///   - batch: ordered by offset.
    ///   - meanwhile: runs on the calling thread once the transaction is queued, to feed its body.
    package func write(
        _ batch: [Record], moving partition: GroupPartition, from expected: Offset?, to next: Offset,
        movingWith body: @escaping MovingBody, meanwhile: () -> Void = {}
    ) async throws {
        let suspects = uncertain.withLock { $0[partition] ?? [] }
        do {
            let stored = try await transaction(
                { [offsets] connection in
                    var from = expected
                    if !suspects.isEmpty, let stored = try offsets.offset(of: partition, in: connection),
                        suspects.contains(stored)
                    {
                        if stored >= next { return stored }
                        from = stored
                    }
                    let first = from == expected ? 0 : batch.firstIndex { $0.offset >= from ?? 0 } ?? batch.count
                    let move = offsets.moving(partition, from: from, to: next)
                    guard try body(connection, first..<batch.count, move) else { throw Self.notMoved }
                    return next
                }, meanwhile)
            if !suspects.isEmpty, stored == next { uncertain.withLock { $0[partition] = nil } }
        } catch let error as ModuleError where error.code == DatabaseError.commitUncertainCode {
            uncertain.withLock { _ = $0[partition, default: []].insert(next) }
            throw error
        } catch let error as ModuleError where error.code == Self.notMoved.code {
            throw try await database.transaction { [offsets] in try offsets.conflict(partition, expected: expected, in: $0) }
        }
    }

    /// Queues a transaction, then does something else on this thread, then waits for the transaction.
    private func transaction(
        _ body: @escaping @Sendable (any DatabaseConnection) throws -> Offset?, _ meanwhile: () -> Void
    ) async throws -> Offset? {
        let box = ResultBox()
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            database.transaction(
                { box.offset = try body($0) }, completion: { continuation.resume(with: $0.mapError { $0 as any Error }) })
            meanwhile()
        }
        return box.offset
    }
}

/// A target whose offsets an ``OffsetWriter`` keeps.
package protocol OffsetWritingTarget: TransactionalTarget {
    var offsetWriter: OffsetWriter { get }
}

// Public, since types that are public conform to a public protocol with them.
extension OffsetWritingTarget {
    public func committedOffset(of partition: GroupPartition) async throws -> Offset? {
        try await offsetWriter.offset(of: partition)
    }

    public func resetOffset(of partition: GroupPartition, to offset: Offset?) async throws {
        try await offsetWriter.reset(partition, to: offset)
    }
}

/// Carries the body's result from the database's thread to the task.
private final class ResultBox: @unchecked Sendable {
    // Unchecked: written by the body on the database's thread, read by the task after the completion.
    var offset: Offset?
}
