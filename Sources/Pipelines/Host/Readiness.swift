package import Martlet
import Synchronization

/// Whether one part of the host is open; others can wait for it.
package final class Readiness: Sendable {
    /// What a part can say of itself.
    package enum Status: Sendable {
        case opening(ModuleError?)
        case ready
        case closed
    }

    private struct State {
        var status = Status.opening(nil)
        var waiting: [Int: CheckedContinuation<Void, any Error>] = [:]
        var nextID = 0
    }

    private let state = Mutex(State())

    package init() {}

    package var status: Status { state.withLock { $0.status } }

    package var isReady: Bool {
        if case .ready = status { true } else { false }
    }

    /// An attempt failed; the next one will follow.
    func failed(_ error: ModuleError) {
        state.withLock { $0.status = .opening(error) }
    }

    func opened() {
        settle(.ready) { $0.resume() }
    }

    func closed() {
        settle(.closed) { $0.resume(throwing: CancellationError()) }
    }

    /// Returns when the part is open; throws if it is closed or the task is cancelled.
    func wait() async throws {
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                let outcome: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    switch state.status {
                    case .ready: return .success(())
                    case .closed: return .failure(CancellationError())
                    case .opening:
                        state.waiting[id] = continuation
                        return nil
                    }
                }
                if let outcome { continuation.resume(with: outcome) }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume(throwing: CancellationError())
        }
    }

    private func settle(_ status: Status, _ resume: (CheckedContinuation<Void, any Error>) -> Void) {
        let waiting = state.withLock { state in
            state.status = status
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for continuation in waiting { resume(continuation) }
    }
}
