internal import CLinux

/// A thread of the log's own: its work blocks on the disk, which has no place on a shared pool.
final class LogThread: @unchecked Sendable {
    // Unchecked: `handle` is set before `init` returns, and read by `join` alone.
    private var handle = pthread_t()

    /// Starts `body` on a new thread. Debuggers and `top -H` show its name, at most 15 bytes.
    init(name: String, _ body: @escaping @Sendable () -> Void) throws(LogError) {
        precondition(name.utf8.count <= 15, "the system takes 15 bytes")
        let box = Unmanaged.passRetained(
            ThreadBody {
                clinux_name_thread(name)
                body()
            })
        let result = pthread_create(&handle, nil, logThreadMain, box.toOpaque())
        if result != 0 {
            box.release()
            throw .system("start the thread \(name)", path: "pthread_create", errno: result)
        }
    }

    /// Waits for the body to return.
    func join() {
        pthread_join(handle, nil)
    }
}

private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

private nonisolated func logThreadMain(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let argument else { return nil }
    let body = Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue()
    body.run()
    return nil
}
