import Synchronization

/// Which rows the log has acknowledged, and how many wait; shared by the publisher and the save queue.
final class OutboxProgress: Sendable {
    private struct State {
        var acknowledged: Int64 = 0
        var removed: Int64 = 0
        var waiting = 0
        /// Rows up to this sequence are in `waiting`.
        var counted: Int64 = 0
        /// Rows whose commit's answer was lost, until they are found in the database or swept away.
        var uncertain = SequenceRanges()
    }

    private static let pieceLimit = 1_000

    private let state = Mutex(State())

    /// Rows in the database, acknowledged ones that are not deleted yet included.
    var waiting: Int { state.withLock { $0.waiting } }

    /// Whether there are rows that the log has not acknowledged.
    var hasUnpublished: Bool { state.withLock { $0.waiting > 0 && $0.counted > $0.acknowledged } }

    /// - Parameter sequence: all rows that wait now come before it, and all that are committed later do not.
    func opened(waiting: Int, before sequence: Int64) {
        state.withLock { state in
            state.waiting = waiting
            state.counted = sequence - 1
        }
    }

    /// Rows are in the database: just committed, or found there after a commit whose answer was lost.
    func exist(_ rows: [OutboxRow]) {
        state.withLock { state in
            for row in rows {
                let wasUncertain = state.uncertain.count > 0 && state.uncertain.remove(row.sequence)
                if wasUncertain || row.sequence > state.counted { state.waiting += 1 }
            }
            if let last = rows.last { state.counted = max(state.counted, last.sequence) }
        }
    }

    /// So many rows are in the database; counted on its writer, where no commit can come between.
    func recounted(_ waiting: Int) {
        state.withLock { state in
            state.waiting = waiting
            state.counted = max(state.counted, state.uncertain.last ?? 0)
            state.uncertain = SequenceRanges()
        }
    }

    /// Rows may be in the database; the publisher will find them if they are. Meanwhile later rows may be counted.
    ///
    /// - Parameter rows: of one transaction, after those of earlier ones.
    func mayExist(_ rows: [OutboxRow]) {
        guard let first = rows.first, let last = rows.last else { return }
        state.withLock { $0.uncertain.append(first.sequence...last.sequence) }
    }

    /// Whether so much is uncertain that a count in the database is better.
    var mustRecount: Bool { uncertainPieces > Self.pieceLimit }

    /// How many ranges of rows are uncertain.
    var uncertainPieces: Int { state.withLock { $0.uncertain.count } }

    /// Everything up to this sequence is durable in the log.
    func acknowledged(through sequence: Int64) {
        state.withLock { $0.acknowledged = max($0.acknowledged, sequence) }
    }

    /// The sequence up to which rows may be deleted; nil if they are.
    var removable: Int64? {
        state.withLock { $0.acknowledged > $0.removed ? $0.acknowledged : nil }
    }

    /// Rows were deleted, and the transaction has committed.
    func removed(through sequence: Int64, count: Int) {
        state.withLock { state in
            state.removed = max(state.removed, sequence)
            state.waiting -= count
            state.uncertain.remove(through: sequence)
        }
    }
}
