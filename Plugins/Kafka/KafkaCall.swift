import Synchronization

/// A call on another thread, for which a task waits until it ends or the task is cancelled.
final class KafkaCall<Value: Sendable>: Sendable {
    private struct State {
        var continuation: CheckedContinuation<Value, any Error>?
        var hasEnded = false
    }

    private let state = Mutex(State())

    /// The task goes on at once if it was cancelled before.
    func begin(_ continuation: CheckedContinuation<Value, any Error>) {
        let hasEnded = state.withLock { state in
            if !state.hasEnded { state.continuation = continuation }
            return state.hasEnded
        }
        if hasEnded { continuation.resume(throwing: CancellationError()) }
    }

    var isAwaited: Bool { state.withLock { !$0.hasEnded } }

    /// Lets the task go on; false if it has already.
    func end(_ result: Result<Value, any Error>) -> Bool {
        let (continuation, isFirst) = state.withLock { state in
            defer {
                state.continuation = nil
                state.hasEnded = true
            }
            return (state.continuation, !state.hasEnded)
        }
        continuation?.resume(with: result)
        return isFirst
    }
}
