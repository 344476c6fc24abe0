import Martlet
import Synchronization

/// Holds a database's thread until a test lets it go.
final class Gate: Sendable {
    private let held = AsyncSignal()
    private let released = ThreadSemaphore()

    /// On the database's thread: returns after `release`.
    func hold() {
        held.fire()
        released.wait()
    }

    func isHeld() async {
        await held.wait()
    }

    func release() {
        released.signal()
    }
}

/// Something that happens once, waited for without blocking a thread.
final class AsyncSignal: Sendable {
    private let state = Mutex((hasFired: false, waiters: [CheckedContinuation<Void, Never>]()))

    func fire() {
        let waiters = state.withLock { state in
            state.hasFired = true
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let hasFired = state.withLock { state in
                if !state.hasFired { state.waiters.append(continuation) }
                return state.hasFired
            }
            if hasFired { continuation.resume() }
        }
    }
}

/// The outcomes of transactions, gathered from their completions.
final class Outcomes: Sendable {
    typealias Outcome = Result<Void, ModuleError>
    private struct State {
        var outcomes: [Outcome] = []
        var waiting: (count: Int, continuation: CheckedContinuation<[Outcome], Never>)?
    }

    private let state = Mutex(State())

    func add(_ outcome: Outcome) {
        let ready = state.withLock { state -> (CheckedContinuation<[Outcome], Never>, [Outcome])? in
            state.outcomes.append(outcome)
            guard let waiting = state.waiting, state.outcomes.count >= waiting.count else { return nil }
            state.waiting = nil
            return (waiting.continuation, state.outcomes)
        }
        if let ready { ready.0.resume(returning: ready.1) }
    }

    /// Waits until there are that many; one wait at a time.
    func wait(for count: Int) async -> [Outcome] {
        await withCheckedContinuation { continuation in
            let ready = state.withLock { state -> [Outcome]? in
                if state.outcomes.count >= count { return state.outcomes }
                state.waiting = (count, continuation)
                return nil
            }
            if let ready { continuation.resume(returning: ready) }
        }
    }
}
