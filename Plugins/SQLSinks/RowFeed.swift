import Martlet
import Synchronization

/// A batch's rows on their way from the templates, which are evaluated on the task's thread, to the transaction on the
/// database's thread. Both work at the same time: evaluating costs a third of inserting. It holds one batch at most.
///
/// The database's thread waits only for a thread that computes, never for one that waits: no deadlock.
final class RowFeed: Sendable {
    typealias Rows = [[DataValue]]

    private struct State {
        var waiting: Rows = []
        var end: Result<Void, ModuleError>?
        var isReaderWaiting = false
    }

    private let state = Mutex(State())
    private let signal = ThreadSemaphore()

    /// Hands rows over.
    func append(_ rows: Rows) {
        notify { $0.waiting.append(contentsOf: rows) }
    }

    /// No more rows come; with a failure, the transaction is rolled back.
    func finish(_ result: Result<Void, ModuleError>) {
        notify { $0.end = result }
    }

    /// All rows that are there; waits for some if there are none. Empty at the end. On the database's thread.
    func next() throws(ModuleError) -> Rows {
        while true {
            let step = state.withLock { state -> (rows: Rows, end: Result<Void, ModuleError>?) in
                let rows = state.waiting
                state.waiting = []
                state.isReaderWaiting = rows.isEmpty && state.end == nil
                return (rows, state.end)
            }
            if case .failure(let error)? = step.end { throw error }
            if !step.rows.isEmpty || step.end != nil { return step.rows }
            signal.wait()
        }
    }

    private func notify(_ change: (inout State) -> Void) {
        let mustWake = state.withLock { state in
            change(&state)
            defer { state.isReaderWaiting = false }
            return state.isReaderWaiting
        }
        if mustWake { signal.signal() }
    }
}
