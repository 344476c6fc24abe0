import Synchronization

/// Wakes one waiting task. A signal that comes before the wait ends it at once.
final class KafkaSignal: Sendable {
    private struct State {
        var isSet = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func signal() {
        let waiting = state.withLock { state in
            defer { state.waiting = nil }
            if state.waiting == nil { state.isSet = true }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Returns at a signal, or when the task is cancelled. One task at a time.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isSet = state.withLock { state in
                    defer { state.isSet = false }
                    if !state.isSet { state.waiting = continuation }
                    return state.isSet
                }
                if isSet { continuation.resume() }
            }
        } onCancel: {
            signal()
        }
    }

    /// As ``wait()``, and no longer than until the deadline.
    func wait(until deadline: ContinuousClock.Instant) async {
        let alarm = Task {
            try? await Task.sleep(until: deadline, clock: .continuous)
            if !Task.isCancelled { signal() }
        }
        await wait()
        alarm.cancel()
    }
}
