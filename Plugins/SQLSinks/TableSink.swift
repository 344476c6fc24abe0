public import Martlet

/// Sink `table`: inserts a row for each record, and moves the group's offset in the same transaction.
///
/// 1. decode: ``TableSinkConfig``.
/// 2. validate: the database exists, the templates compile, `conflict_columns` are among the columns.
/// 3. open: the table and its columns are there and accept such rows; makes `martlet_offsets`.
/// 4. work: a batch is one transaction, so that a crash and a replay leave no duplicate and no hole.
/// 5. close: nothing of its own; the database belongs to the host.
public final class TableSink: TransactionalSink, OffsetWritingTarget {
    public static let name = "table"
    public static let summary = "inserts a row for each record, exactly once"

    private let insert: RowInsert
    private let templates: TemplateSet
    private let payloads: any PayloadReader
    private let database: any Database
    package let offsetWriter: OffsetWriter
    private let check: TableCheck

    public init?(config: TableSinkConfig, context: ModuleContext) {
        let insert = config.rowInsert(context)
        let templates = context.templates(config.columns, allowing: [.record, .header])
        guard let database = context.database(config.database), let insert, let templates else { return nil }
        do {
            offsetWriter = try OffsetWriter(database)
            check = try TableCheck(insert, templates, database: database, name: config.database.plain)
        } catch {
            context.problem(at: config.table.place, "the database cannot hold offsets: \(error.message)")
            return nil
        }
        self.insert = insert
        self.database = database
        self.templates = templates
        payloads = context.payloads
    }

    public var hasAtomicBatches: Bool { true }

    public func open() async throws {
        try await check.run()
        try await offsetWriter.open()
    }

    public func write(_ batch: [Record]) async throws -> WriteResult {
        let feed = RowFeed()
        let rest = try feedStart(of: batch, to: feed)
        try await offsetWriter.write(
            batch,
            { [self] connection, range throws(ModuleError) in
                _ = try insertAll(from: feed, skipping: range.lowerBound, after: nil, connection)
            }, meanwhile: { feedRest(of: batch, from: rest, to: feed) })
        return .handled
    }

    public func write(
        _ batch: [Record], moving partition: GroupPartition, from expected: Offset?, to next: Offset
    ) async throws {
        if database.insertsAtOnce { return try await writeAtOnce(batch, moving: partition, from: expected, to: next) }
        let feed = RowFeed()
        let rest = try feedStart(of: batch, to: feed)
        try await offsetWriter.write(
            batch, moving: partition, from: expected, to: next,
            movingWith: { [self] connection, range, move throws(ModuleError) in
                try insertAll(from: feed, skipping: range.lowerBound, after: move, connection)
            },
            meanwhile: { feedRest(of: batch, from: rest, to: feed) })
    }

    public func close() async {}

    /// Everything is made ready on the calling thread, and leaves in one piece.
    private func writeAtOnce(
        _ batch: [Record], moving partition: GroupPartition, from expected: Offset?, to next: Offset
    ) async throws {
        let rows = try database.readied(RowBatch(insert, try rows(of: batch[...])))
        try await offsetWriter.write(
            batch, moving: partition, from: expected, to: next,
            movingWith: { connection, range, move throws(ModuleError) in
                let rest = range.lowerBound == 0 ? rows : RowBatch(rows.insert, Array(rows.rows[range]))
                return try connection.insertRows(rest, ifChanged: move, isLast: true) != nil
            })
    }

    // MARK: Rows are evaluated on the calling thread while the database's thread inserts those before them.

    /// Inserts what the feed gives, but for the first rows. With a `move`, only if that changes a row; false if it does not.
    private func insertAll(
        from feed: RowFeed, skipping count: Int, after move: StatementCall?, _ connection: any DatabaseConnection
    ) throws(ModuleError) -> Bool {
        var (toSkip, move) = (count, move)
        while true {
            var rows = try feed.next()
            let isEnd = rows.isEmpty
            let skipped = min(toSkip, rows.count)
            toSkip -= skipped
            if skipped > 0 { rows.removeFirst(skipped) }
            if let first = move {
                guard try connection.insertRows(RowBatch(insert, rows), ifChanged: first, isLast: false) != nil else { return false }
                move = nil
            } else if !rows.isEmpty {
                _ = try connection.insertRows(insert, rows)
            }
            if isEnd { return true }
        }
    }

    /// So many rows are ready before the transaction is queued, that its thread never catches up; or all, if they leave at once.
    private func headStart(of count: Int) -> Int { database.insertsAtOnce ? count : max(min(count, 128), count / 4) }

    /// Evaluates the first rows. Returns where the rest begins.
    private func feedStart(of batch: [Record], to feed: RowFeed) throws(ModuleError) -> Int {
        let count = headStart(of: batch.count)
        feed.append(try rows(of: batch[..<count]))
        if count == batch.count { feed.finish(.success(())) }
        return count
    }

    private func feedRest(of batch: [Record], from start: Int, to feed: RowFeed) {
        guard start < batch.count else { return }
        do {
            for first in stride(from: start, to: batch.count, by: 128) {
                feed.append(try rows(of: batch[first..<min(first + 128, batch.count)]))
            }
            feed.finish(.success(()))
        } catch {
            feed.finish(.failure(error))
        }
    }

    private func rows(of batch: ArraySlice<Record>) throws(ModuleError) -> RowFeed.Rows {
        var rows: RowFeed.Rows = []
        rows.reserveCapacity(batch.count)
        for record in batch { rows.append(try templates.evaluate(TemplateInput(record), with: payloads)) }
        return rows
    }
}

extension TableSinkConfig {
    /// The insert, or nil with problems reported.
    fileprivate func rowInsert(_ context: ModuleContext) -> RowInsert? {
        var isGood = true
        func report(_ place: ConfigPlace, _ message: String) {
            context.problem(at: place, message)
            isGood = false
        }
        let names = columns.keys
        if names.isEmpty { report(columns.place, "must name at least one column") }
        if table.plain.isEmpty { report(table.place, "must be the name of a table") }
        for column in conflictColumns where !names.contains(column.plain) {
            let suggestion = Suggestion.question(for: column.plain, among: names)
            report(
                column.place,
                "`\(column.plain)` is not among the columns of this sink\(suggestion) (columns: \(names.joined(separator: ", ")))")
        }
        switch onConflict {
        case .update where conflictColumns.isEmpty:
            report(columns.place, "`\"on_conflict\": \"update\"` needs `conflict_columns`: the unique columns that tell whether a row is there")
        case .fail where !conflictColumns.isEmpty:
            report(conflictColumns[0].place, "`conflict_columns` mean nothing with `\"on_conflict\": \"fail\"`; leave them out")
        default: break
        }
        guard isGood, let onConflict = RowInsert.OnConflict(rawValue: onConflict.rawValue) else { return nil }
        return RowInsert(
            table: table.plain, columns: names, onConflict: onConflict, conflictColumns: conflictColumns.map(\.plain))
    }
}
