package import Martlet
import Synchronization

/// Holds the workers of a paused group before their next batch, and knows which ones have a batch under way.
package final class PauseGate: Sendable {
    private struct State {
        var isPaused: Bool
        var nextID = 0
        var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
        var busy: Set<GroupPartition> = []
    }

    private let state: Mutex<State>

    package init(isPaused: Bool) {
        state = Mutex(State(isPaused: isPaused))
    }

    package var isPaused: Bool {
        state.withLock { $0.isPaused }
    }

    /// Partitions with a batch under way. Once the group is paused, none is added.
    package var busy: Set<GroupPartition> {
        state.withLock { $0.busy }
    }

    /// A worker is about to settle a batch. False if the group is paused: the worker gives the batch up unsettled.
    func enter(_ place: GroupPartition) -> Bool {
        state.withLock { state in
            if !state.isPaused { state.busy.insert(place) }
            return !state.isPaused
        }
    }

    /// The batch is settled, or its worker ends.
    func leave(_ place: GroupPartition) {
        state.withLock { _ = $0.busy.remove(place) }
    }

    package func pause() {
        state.withLock { $0.isPaused = true }
    }

    package func resume() {
        let waiting = state.withLock { state in
            state.isPaused = false
            defer { state.waiting.removeAll() }
            return state.waiting.values
        }
        for continuation in waiting { continuation.resume() }
    }

    /// Returns at once if the gate is open, else when it opens or the task is cancelled.
    package func pass() async {
        guard isPaused else { return }
        let id = state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayPass = state.withLock { state in
                    guard state.isPaused, !Task.isCancelled else { return true }
                    state.waiting[id] = continuation
                    return false
                }
                if mayPass { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: id) }?.resume()
        }
    }
}
