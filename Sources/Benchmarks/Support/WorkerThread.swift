import CLinux

/// A thread of its own for blocking work.
final class WorkerThread {
    private var thread = pthread_t()
    private var isJoined = false

    init(_ body: @escaping @Sendable () -> Void) throws(BenchmarkError) {
        let box = Unmanaged.passRetained(ThreadBody(body))
        guard pthread_create(&thread, nil, runThreadBody, box.toOpaque()) == 0 else {
            box.release()
            throw .system("start a thread")
        }
    }

    /// Waits for its end; once.
    func join() {
        guard !isJoined else { return }
        isJoined = true
        pthread_join(thread, nil)
    }
}

/// Carries a closure to a new thread.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

private nonisolated func runThreadBody(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
    return nil
}
