/// One thread of its own for a module's blocking calls, files above all; what is asked of it runs in order.
package final class BlockingWorker: Sendable {
    private static let waitingLimit = 1000

    private let threads = BlockingThreads(limit: BlockingWorker.waitingLimit) { _ in }

    /// Starts the thread.
    ///
    /// - Throws: transient, `host.no_thread`.
    package init() throws(ModuleError) {
        try threads.start(count: 1)
    }

    /// Runs `body` on the thread and returns its value.
    ///
    /// - Throws: what `body` throws; transient, `host.worker_stopped`, after ``stop()`` or when too much waits.
    package func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            let isTaken = threads.submit { _ in continuation.resume(with: Result { try body() }) }
            if !isTaken {
                continuation.resume(throwing: ModuleError.transient("host.worker_stopped", "the module is closed, or asks for too much"))
            }
        }
    }

    /// Runs what was asked, ends the thread. May be called again.
    package func stop() async {
        await threads.stop()
    }
}
