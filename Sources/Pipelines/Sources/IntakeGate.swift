import Martlet
import Synchronization

/// Lets inputs into a host's sources, and counts those under way; closed while the host is drained.
package final class IntakeGate: Sendable {
    private struct State {
        var isClosed = false
        var underWay = 0
    }

    /// What refused inputs are told to wait.
    static let retryAfter = Duration.seconds(5)

    private let state = Mutex(State())

    package init() {}

    package var isClosed: Bool { state.withLock { $0.isClosed } }
    /// Inputs that were let in and are not answered yet.
    package var underWay: Int { state.withLock { $0.underWay } }

    func close() {
        state.withLock { $0.isClosed = true }
    }

    func open() {
        state.withLock { $0.isClosed = false }
    }

    /// Counts inputs in, unless the gate is closed; each must leave.
    func enter(_ count: Int) -> Bool {
        state.withLock { state in
            if state.isClosed { return false }
            state.underWay += count
            return true
        }
    }

    func leave(_ count: Int) {
        state.withLock { $0.underWay -= count }
    }

    /// What an input hears while the gate is closed.
    static var refusal: IntakeOutcome {
        .unavailable(
            .transient("host.draining", "the host takes nothing new while its outbox is emptied; `martlet drain --resume` ends that"),
            retryAfter: retryAfter)
    }
}
