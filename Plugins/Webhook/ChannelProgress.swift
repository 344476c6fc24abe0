import Synchronization

/// What a channel knows of the channel's row in the database, and the sleep of its upkeep.
final class ChannelProgress: Sendable {
    private struct State {
        var seenThrough: Int64 = 0
        var version: Int64 = -1
        var removed: [String] = []
        var sleeper: CheckedContinuation<Void, Never>?
        var mustLook = false
    }

    private let state = Mutex(State())

    /// The version of the endpoints that the dispatcher has.
    var version: Int64 {
        get { state.withLock { $0.version } }
        set { state.withLock { $0.version = newValue } }
    }

    /// Endpoints that are being removed.
    var removed: [String] {
        get { state.withLock { $0.removed } }
        set { state.withLock { $0.removed = newValue } }
    }

    /// Deliveries that this host took over itself, whose endpoints were told of them.
    func took(from first: Int64, count: Int) {
        state.withLock { state in
            if first == state.seenThrough + 1 { state.seenThrough = first + Int64(count) - 1 }
        }
    }

    /// The last id that is known, if there are others before `next`.
    func missed(before next: Int64) -> Int64? {
        state.withLock { $0.seenThrough + 1 < next ? $0.seenThrough : nil }
    }

    func seen(before next: Int64) {
        state.withLock { $0.seenThrough = max($0.seenThrough, next - 1) }
    }

    /// Ends a sleep at once.
    func lookNow() {
        let sleeper = state.withLock { state in
            state.mustLook = true
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.resume()
    }

    /// Returns after a while, when asked to look, or when the task is cancelled.
    func sleep(for duration: Duration) async {
        let alarm = Task {
            guard (try? await Task.sleep(for: duration)) != nil else { return }
            lookNow()
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    guard !state.mustLook else { return true }
                    state.sleeper = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            lookNow()
        }
        alarm.cancel()
        state.withLock { $0.mustLook = false }
    }
}
