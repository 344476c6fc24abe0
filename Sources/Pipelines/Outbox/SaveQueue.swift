import Martlet
import Synchronization

/// Group commit: requests that arrive while a transaction commits share the next one.
///
/// A shared transaction that fails because of one request is rolled back and its requests are halved until the one at
/// fault stands alone, so that each request ends as if it had run by itself. One that gave way to another host's (a deadlock, the
/// same Idempotency-Key) is run again likewise.
final class SaveQueue: Sendable {
    /// Requests that may wait, and their bytes; beyond it the answer is 503.
    static let limit = 20_000
    static let byteLimit = 64 << 20
    /// Requests that share a transaction, at most, which bounds how long the writer is taken.
    static let transactionLimit = 1_000
    /// How often a request is run again because its transaction gave way to another one: as often as a shared transaction can
    /// be halved, and as often again.
    static let conflictLimit = 20

    private struct State {
        var pending: [SaveRequest] = []
        var fill = QueueFill(countLimit: limit, byteLimit: byteLimit)
        /// Parts of a failed transaction, to be run before anything that is pending.
        var split: [[SaveRequest]] = []
        /// Requests taken and not answered: each may become a row.
        var unanswered = 0
        var isRunning = false
        var isOpen = false
        var onIdle: [CheckedContinuation<Void, Never>] = []
    }

    private let database: any Database
    private let table: OutboxTable
    private let idempotency: IdempotencyTable
    private let identity: HostIdentity
    private let limitEvents: Int
    private let buffer: OutboxBuffer
    private let progress: OutboxProgress
    private let sequences: OutboxSequences
    private let state = Mutex(State())

    init(
        database: any Database, table: OutboxTable, idempotency: IdempotencyTable, identity: HostIdentity, limitEvents: Int, buffer: OutboxBuffer,
        progress: OutboxProgress, sequences: OutboxSequences
    ) {
        self.database = database
        self.table = table
        self.idempotency = idempotency
        self.identity = identity
        self.limitEvents = limitEvents
        self.buffer = buffer
        self.progress = progress
        self.sequences = sequences
    }

    /// Begins to take requests, once the outbox is open.
    func open() {
        state.withLock { $0.isOpen = true }
    }

    /// Takes no more requests and returns when those taken are answered.
    func close() async {
        await withCheckedContinuation { continuation in
            let isIdle = state.withLock { state in
                state.isOpen = false
                if state.isRunning { state.onIdle.append(continuation) }
                return !state.isRunning
            }
            if isIdle { continuation.resume() }
        }
    }

    /// Takes a request over, or answers it at once if it cannot.
    func submit(_ request: SaveRequest) {
        enum Decision { case refuse(ModuleError), wait, run }
        let decision: Decision = state.withLock { state in
            guard state.isOpen else {
                return .refuse(.transient("outbox.closed", "the database is not open yet; try again shortly"))
            }
            guard progress.waiting + state.unanswered < limitEvents else {
                return .refuse(
                    .transient(
                        "outbox.full",
                        "\(limitEvents) events wait in the outbox for the log (`host.outbox_limit_events`); "
                            + "see `martlet_outbox_events` and the log's state"))
            }
            guard state.fill.add(bytes: request.byteCount) else {
                return .refuse(
                    .transient(
                        "outbox.overloaded",
                        "\(Self.limit) requests, or \(Self.byteLimit >> 20) MiB of them, already wait for the database"))
            }
            state.pending.append(request)
            state.unanswered += 1
            defer { state.isRunning = true }
            return state.isRunning ? .wait : .run
        }
        switch decision {
        case .refuse(let error): request.answer(.unavailable(error, retryAfter: .seconds(1)))
        case .wait: break
        case .run: runNext()
        }
    }

    /// Deletes acknowledged rows even if no request comes.
    func removeAcknowledged() {
        let mustRun = state.withLock { state in
            guard state.isOpen, !state.isRunning else { return false }
            state.isRunning = true
            return true
        }
        if mustRun { runNext() }
    }

    private func runNext() {
        let run = SaveTransaction(
            table: table, idempotency: idempotency, owner: identity.id, sequences: sequences, removable: progress.removable)
        database.urgentTransaction({ [self] connection in
            run.requests = takeRequests()
            try run.execute(on: connection)
        }, completion: { [self] result in
            finish(run, result)
        })
    }

    /// Taken when the writer gets to it, not when it was queued, so that late requests still share the commit.
    private func takeRequests() -> [SaveRequest] {
        state.withLock { state in
            if let part = state.split.popLast() { return part }
            let count = min(state.pending.count, Self.transactionLimit)
            let taken = Array(state.pending[..<count])
            state.pending.removeFirst(count)
            state.fill.remove(count: count, bytes: taken.reduce(0) { $0 + $1.byteCount })
            return taken
        }
    }

    private func finish(_ run: SaveTransaction, _ result: Result<Void, ModuleError>) {
        switch result {
        case .success:
            if let removed = run.removed { progress.removed(through: removed.through, count: removed.count) }
            if !run.rows.isEmpty {
                progress.exist(run.rows)
                buffer.committed(run.rows)
            }
            state.withLock { $0.unanswered -= run.requests.count }
            for (request, outcome) in zip(run.requests, run.outcomes) { request.answer(outcome) }
        case .failure(let error):
            fail(run, error)
        }
        continueOrStop()
    }

    private func fail(_ run: SaveTransaction, _ error: ModuleError) {
        if error.isConflict, let again = run.requests.afterConflict(limit: Self.conflictLimit) { return splitOff(again) }
        // Also a statement that cannot run (its table is missing) is one source's, not that of all in the transaction.
        if error.kind != .transient, run.requests.count > 1 { return splitOff(run.requests) }
        // The commit may have taken place all the same: a row that nobody knows of would be deleted unpublished.
        if !run.rows.isEmpty {
            progress.mayExist(run.rows)
            buffer.mayHaveMissedRows()
        }
        // A transaction that never began has taken nothing: its requests are still pending.
        let failed = run.requests.isEmpty && !run.hasBegun ? takeRequests() : run.requests
        state.withLock { $0.unanswered -= failed.count }
        for request in failed {
            request.answer(error.kind == .permanent ? .rejected(error) : .unavailable(error, retryAfter: error.retryAfter ?? .seconds(1)))
        }
    }

    /// The halves are run next, one after the other; a single request is run as it is.
    private func splitOff(_ requests: [SaveRequest]) {
        let middle = requests.count / 2
        state.withLock { state in
            state.split.append(Array(requests[middle...]))
            if middle > 0 { state.split.append(Array(requests[..<middle])) }
        }
    }

    private func continueOrStop() {
        let idle: [CheckedContinuation<Void, Never>]? = state.withLock { state in
            guard state.pending.isEmpty, state.split.isEmpty else { return nil }
            state.isRunning = false
            defer { state.onIdle = [] }
            return state.onIdle
        }
        guard let idle else { return runNext() }
        for continuation in idle { continuation.resume() }
    }
}

extension [SaveRequest] {
    /// The requests, one conflict further; nil if one has had as many as `limit`.
    fileprivate func afterConflict(limit: Int) -> [SaveRequest]? {
        guard !isEmpty, allSatisfy({ $0.conflicts < limit }) else { return nil }
        return map { request in
            var request = request
            request.conflicts += 1
            return request
        }
    }
}
