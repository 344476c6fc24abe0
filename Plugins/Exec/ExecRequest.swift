import Martlet
import Synchronization

/// One batch on its way to a process and back; answered once.
final class ExecRequest<Answer: Sendable>: Sendable {
    private enum State {
        case made
        case waiting(CheckedContinuation<[Answer], any Error>)
        case settled(Result<[Answer], any Error>)
        case done
    }

    /// The records as a JSON array.
    let records: [UInt8]
    let count: Int
    private let state = Mutex(State.made)

    init(records: [UInt8], count: Int) {
        self.records = records
        self.count = count
    }

    /// Whether nobody waits for the answer any more.
    var isSettled: Bool {
        state.withLock { state in
            switch state {
            case .made, .waiting: false
            case .settled, .done: true
            }
        }
    }

    /// The first answer counts.
    func settle(_ result: Result<[Answer], any Error>) {
        let waiting = state.withLock { state -> CheckedContinuation<[Answer], any Error>? in
            switch state {
            case .made:
                state = .settled(result)
                return nil
            case .waiting(let continuation):
                state = .done
                return continuation
            case .settled, .done:
                return nil
            }
        }
        waiting?.resume(with: result)
    }

    /// Waits for the answer; called once. `submit` runs when it is waited for.
    func answer(_ submit: () -> Void) async throws -> [Answer] {
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let early = state.withLock { state -> Result<[Answer], any Error>? in
                    if case .settled(let result) = state {
                        state = .done
                        return result
                    }
                    state = .waiting(continuation)
                    return nil
                }
                if let early { continuation.resume(with: early) } else { submit() }
            }
        } onCancel: {
            settle(.failure(CancellationError()))
        }
    }
}
