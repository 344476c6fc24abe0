import Martlet
import Synchronization

/// Lets requests through while the source is open, and tells when those under way have been answered.
final class RequestGate: Sendable {
    private struct State {
        var intake: (any Intake)?
        var underWay = 0
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func open(_ intake: any Intake) {
        state.withLock { $0.intake = intake }
    }

    /// The intake for one request, which calls ``leave()`` once it is answered; nil while the source is closed.
    func enter() -> (any Intake)? {
        state.withLock { state in
            if state.intake != nil { state.underWay += 1 }
            return state.intake
        }
    }

    func leave() {
        let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
            state.underWay -= 1
            guard state.underWay == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Lets nobody in any more and returns when all have left.
    func close() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                state.intake = nil
                if state.underWay > 0 { state.waiters.append(continuation) }
                return state.underWay == 0
            }
            if isEmpty { continuation.resume() }
        }
    }
}
