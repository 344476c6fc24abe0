import Martlet
import Synchronization

/// Notices on their way to a dispatcher's task, and its sleep. Many notices before it looks cost one wake-up.
///
/// It holds at most what is under way: a notice for each request, read and write, and what operators and the clock say.
final class Inbox: Sendable {
    private struct State {
        var notices: [Notice] = []
        var sleeper: CheckedContinuation<Void, Never>?
        /// Counts the sleeps, so that an alarm wakes only its own.
        var sleeps = 0
    }

    private let state = Mutex(State())

    func post(_ notice: Notice) {
        let sleeper = state.withLock { state in
            state.notices.append(notice)
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.resume()
    }

    /// What has come since the last call.
    func take() -> [Notice] {
        state.withLock { state in
            defer { state.notices = [] }
            return state.notices
        }
    }

    /// Returns when there is a notice, or at a time.
    ///
    /// - Parameter deadline: milliseconds of ``Moment/steady``; nil for none.
    func wait(until deadline: Int64?) async {
        let sleep = state.withLock { state in
            state.sleeps += 1
            return state.sleeps
        }
        let alarm = deadline.map { deadline in
            Task {
                guard (try? await Task.sleep(for: .milliseconds(max(0, deadline - Moment.now().steady)))) != nil else { return }
                wake(sleep)
            }
        }
        await withCheckedContinuation { continuation in
            let isDue = state.withLock { state in
                guard state.notices.isEmpty, state.sleeps == sleep else { return true }
                state.sleeper = continuation
                return false
            }
            if isDue { continuation.resume() }
        }
        alarm?.cancel()
    }

    private func wake(_ sleep: Int) {
        let sleeper = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.sleeps == sleep else { return nil }
            state.sleeps += 1
            defer { state.sleeper = nil }
            return state.sleeper
        }
        sleeper?.resume()
    }
}
