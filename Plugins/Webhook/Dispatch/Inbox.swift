import Martlet
import Synchronization

/// Notices on their way to a dispatcher's task, and its sleep. Many notices before it looks cost one wake-up.
///
/// It holds at most what is under way: a notice for each request, read and write, and what operators and the clock say.
final class Inbox: Sendable {
    private struct Alarm {
        let at: Int64
        let task: Task<Void, Never>
    }

    private struct State {
        var notices: [Notice] = []
        var sleeper: CheckedContinuation<Void, Never>?
        /// An alarm came while nobody slept.
        var hasRung = false
        /// The next one is the last. One is kept until it rings, since a new one for each sleep costs more than a needless turn:
        /// the runtime does not forget a sleep that is cancelled before its time has come.
        var alarms: [Alarm] = []
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

    /// Returns when there is a notice, or at a time; it may be earlier.
    ///
    /// - Parameter deadline: milliseconds of ``Moment/steady``; nil for none.
    func wait(until deadline: Int64?) async {
        if let deadline { setAlarm(deadline) }
        await withCheckedContinuation { continuation in
            let isDue = state.withLock { state in
                guard state.notices.isEmpty, !state.hasRung else {
                    state.hasRung = false
                    return true
                }
                state.sleeper = continuation
                return false
            }
            if isDue { continuation.resume() }
        }
    }

    /// Alarms that have not rung.
    var alarmCount: Int { state.withLock { $0.alarms.count } }

    /// Forgets the alarms, once nobody sleeps any more.
    func close() {
        let alarms = state.withLock { state in
            defer { state.alarms = [] }
            return state.alarms
        }
        for alarm in alarms { alarm.task.cancel() }
    }

    private func setAlarm(_ deadline: Int64) {
        state.withLock { state in
            if let next = state.alarms.last, next.at <= deadline { return }
            let task = Task {
                guard (try? await Task.sleep(for: .milliseconds(max(0, deadline - Moment.now().steady)))) != nil else { return }
                ring(deadline)
            }
            state.alarms.append(Alarm(at: deadline, task: task))
        }
    }

    private func ring(_ deadline: Int64) {
        let sleeper = state.withLock { state in
            state.alarms.removeAll { $0.at <= deadline }
            defer { state.sleeper = nil }
            state.hasRung = state.sleeper == nil
            return state.sleeper
        }
        sleeper?.resume()
    }
}
