import Synchronization

/// Carries a task's cancellation to its request, whichever of the two comes first.
final class TransferWait: Sendable {
    private struct State {
        var transfer: (any OutgoingTransfer)?
        var isCancelled = false
    }

    private let state = Mutex(State())

    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    func began(_ transfer: any OutgoingTransfer) {
        let isCancelled = state.withLock { state in
            state.transfer = transfer
            return state.isCancelled
        }
        if isCancelled { transfer.cancel() }
    }

    func cancel() {
        let transfer = state.withLock { state in
            state.isCancelled = true
            return state.transfer
        }
        transfer?.cancel()
    }
}
