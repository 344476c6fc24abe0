import EmbeddedLog
import Synchronization

/// Resumes a waiting task once: when its partition has data, or when it is cancelled.
final class RecordWaiter: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Void, any Error>?
        var token: WakeToken?
        var early: Result<Void, any Error>?
    }

    private let state = Mutex(State())

    /// Registers with the log; `register` may call back at once.
    func begin(_ continuation: CheckedContinuation<Void, any Error>, _ register: () throws -> WakeToken) {
        let early = state.withLock { state in
            if state.early == nil { state.continuation = continuation }
            return state.early
        }
        if let early { return continuation.resume(with: early) }
        do {
            let token = try register()
            let isOver = state.withLock { state in
                if state.continuation != nil { state.token = token }
                return state.continuation == nil
            }
            if isOver { token.cancel() }
        } catch {
            finish(.failure(error))
        }
    }

    func finish(_ result: Result<Void, any Error>) {
        let (continuation, token) = state.withLock { state in
            defer {
                state.continuation = nil
                state.token = nil
                if state.early == nil { state.early = result }
            }
            return (state.continuation, state.token)
        }
        token?.cancel()
        continuation?.resume(with: result)
    }
}
