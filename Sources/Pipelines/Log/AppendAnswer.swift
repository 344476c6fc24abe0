import Martlet
import Synchronization

/// The log's answer to an append, for which a task waits: until it comes, or a while after the task was cancelled.
final class AppendAnswer: Sendable {
    private struct State {
        var continuation: CheckedContinuation<[RecordPlace], any Error>?
        var hasEnded = false
    }

    /// An answer that is on its way saves a repetition; a log that is away may take half a minute and more to say so.
    private static let patience = Duration.seconds(3)

    private let state = Mutex(State())

    func begin(_ continuation: CheckedContinuation<[RecordPlace], any Error>) {
        let hasEnded = state.withLock { state in
            if !state.hasEnded { state.continuation = continuation }
            return state.hasEnded
        }
        if hasEnded { continuation.resume(throwing: CancellationError()) }
    }

    /// Lets the task go on; the first call counts.
    func end(_ result: Result<[RecordPlace], any Error>) {
        let continuation = state.withLock { state in
            defer {
                state.continuation = nil
                state.hasEnded = true
            }
            return state.continuation
        }
        continuation?.resume(with: result)
    }

    func cancelled() {
        Task {
            try? await Task.sleep(for: Self.patience)
            end(.failure(CancellationError()))
        }
    }
}
