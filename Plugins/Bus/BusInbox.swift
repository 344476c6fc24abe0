import Martlet
import Synchronization

/// How the process talks to the listener's thread. It is bounded by the publishers, each of which waits for its answer.
final class BusInbox: Sendable {
    private struct State {
        var publications: [BusListener.Publication] = []
        var isStopping = false
        var isOver = false
    }

    let wake: WakePipe
    private let state = Mutex(State())
    private let subscriberCount = Atomic<Int>(0)

    init() throws(ModuleError) {
        wake = try WakePipe()
    }

    var hasSubscribers: Bool { subscriberCount.load(ordering: .acquiring) > 0 }

    func addSubscribers(_ number: Int) {
        subscriberCount.wrappingAdd(number, ordering: .acquiringAndReleasing)
    }

    func submit(_ publication: BusListener.Publication) {
        let isTaken = state.withLock { state in
            if !state.isOver { state.publications.append(publication) }
            return !state.isOver
        }
        if isTaken { wake.signal() } else { publication.completion.resume() }
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        wake.signal()
    }

    /// What there is to do; nil if the thread is to end.
    func take() -> [BusListener.Publication]? {
        state.withLock { state in
            if state.isStopping { return nil }
            defer { state.publications = [] }
            return state.publications
        }
    }

    /// Nobody takes anything any more.
    func finish() {
        let left = state.withLock { state in
            state.isOver = true
            defer { state.publications = [] }
            return state.publications
        }
        for publication in left { publication.completion.resume() }
    }
}
