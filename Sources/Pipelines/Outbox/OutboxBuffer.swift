import Martlet
import Synchronization

/// The head of the outbox in memory: committed rows on their way to the log, in the order of commits.
///
/// Invariants: rows leave in ascending order; at most ``rowLimit`` rows and ``byteLimit`` bytes are held. When it is
/// full it *spills*: rows that follow stay in the database only, until the reader has caught up with them there.
final class OutboxBuffer: Sendable {
    static let rowLimit = 20_000
    static let byteLimit = 32 << 20

    /// Where the next rows are.
    enum Next: Sendable {
        case rows([OutboxRow])
        /// In the database, after this sequence.
        case database(after: Int64)
        case nothing
    }

    private struct State {
        var rows: [OutboxRow] = []
        var bytes = 0
        /// The last sequence taken out or read from the database.
        var lastTaken: Int64 = 0
        var isSpilling = true
        var waiter: CheckedContinuation<Void, Never>?
        var isClosed = false
    }

    private let state = Mutex(State())

    /// Adds rows that were just committed; called in the order of commits.
    func committed(_ rows: [OutboxRow]) {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            if !state.isSpilling {
                state.rows.append(contentsOf: rows)
                state.bytes += rows.reduce(0) { $0 + $1.byteCount }
                if state.rows.count > Self.rowLimit || state.bytes > Self.byteLimit {
                    Self.spill(&state)
                }
            }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Rows may have been committed without being known here, since a commit's answer was lost: what follows is read
    /// from the database. Called in the order of commits.
    func mayHaveMissedRows() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.isSpilling = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Drops what is past the limits: the database has it.
    private static func spill(_ state: inout State) {
        var kept = 0
        var bytes = 0
        for row in state.rows {
            guard kept < rowLimit, bytes + row.byteCount <= byteLimit else { break }
            kept += 1
            bytes += row.byteCount
        }
        state.rows.removeSubrange(kept...)
        state.bytes = bytes
        state.isSpilling = true
    }

    /// Takes what there is in memory.
    func take() -> Next {
        state.withLock { state in
            if let last = state.rows.last {
                defer {
                    state.rows = []
                    state.bytes = 0
                    state.lastTaken = last.sequence
                }
                return .rows(state.rows)
            }
            return state.isSpilling ? .database(after: state.lastTaken) : .nothing
        }
    }

    /// Rows were read from the database. Must run on the database's writer, where no commit can come between: with
    /// `reachedEnd`, rows committed from now on come through memory again.
    func readFromDatabase(_ rows: [OutboxRow], reachedEnd: Bool) {
        state.withLock { state in
            if let last = rows.last { state.lastTaken = last.sequence }
            if reachedEnd { state.isSpilling = false }
        }
    }

    /// What follows this sequence is read from the database, rows that were taken out already included.
    func readAgain(after sequence: Int64) {
        state.withLock { state in
            state.rows = []
            state.bytes = 0
            state.lastTaken = sequence
            state.isSpilling = true
        }
    }

    /// Returns when there may be something to take, or the buffer is closed.
    func wait() async {
        await withCheckedContinuation { continuation in
            let isDue = state.withLock { state in
                if state.isClosed || !state.rows.isEmpty || state.isSpilling { return true }
                state.waiter = continuation
                return false
            }
            if isDue { continuation.resume() }
        }
    }

    /// Ends the wait for good.
    func close() {
        let waiter = state.withLock { state in
            state.isClosed = true
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }
}
