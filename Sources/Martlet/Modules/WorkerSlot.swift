import Synchronization

/// Holds the thread of a source from `open` to `close`.
package final class WorkerSlot: Sendable {
    private let worker = Mutex<BlockingWorker?>(nil)

    package init() {}

    /// Starts a thread to be held.
    package func open() throws(ModuleError) -> BlockingWorker {
        let started = try BlockingWorker()
        worker.withLock { $0 = started }
        return started
    }

    /// The thread, while it is open.
    package var current: BlockingWorker? { worker.withLock { $0 } }

    /// Ends the thread; returns when what was asked of it has run.
    package func close() async {
        let held = worker.withLock { worker in
            defer { worker = nil }
            return worker
        }
        await held?.stop()
    }
}
