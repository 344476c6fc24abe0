import Glibc
import Martlet
import Pipelines
import Synchronization

/// SIGHUP, SIGTERM and SIGINT, handed to the main task one after the other.
///
/// The handler, which may interrupt any thread anywhere, only writes the signal's number to a pipe (signal-safety(7)); a
/// thread reads it there.
final class ProcessSignals: Sendable {
    private let stream: AsyncStream<Int32>

    /// Takes the signals over. Created once in a process.
    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw HostError("cannot make the pipe for signals: \(String(cString: strerror(errno)))")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        signalPipe.store(ends[1], ordering: .relaxed)
        let (stream, continuation) = AsyncStream<Int32>.makeStream(bufferingPolicy: .bufferingOldest(16))
        self.stream = stream
        try SignalThread.start(reading: ends[0]) { continuation.yield($0) }
        for number in [SIGHUP, SIGTERM, SIGINT] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = passSignalOn
            action.sa_flags = SA_RESTART
            guard sigaction(number, &action, nil) == 0 else {
                throw HostError("cannot handle signal \(number): \(String(cString: strerror(errno)))")
            }
        }
    }

    /// Reloads at each SIGHUP; returns when the host has stopped after SIGTERM or SIGINT.
    func run(host: Host, operations: HostOperations, logger: Logger) async {
        for await number in stream {
            if number == SIGHUP {
                await reload(operations, logger)
                continue
            }
            let grace = host.graph.config.host.shutdownGraceSeconds
            let overdue = Task {
                try await Task.sleep(for: .seconds(grace + 5))
                logger.error("still not stopped 5 seconds after the grace period; ending the process")
                _exit(1)
            }
            await operations.stop()
            overdue.cancel()
            return
        }
    }

    private func reload(_ operations: HostOperations, _ logger: Logger) async {
        do {
            let problems = try await operations.reload()
            if !problems.isEmpty {
                logger.error("the config was not reloaded; the running one stays\n\(problems.text)")
            }
        } catch {
            logger.warning("the config was not reloaded: \(error)")
        }
    }
}

/// The writing end of the pipe; -1 until there is one.
private let signalPipe = Atomic<Int32>(-1)

/// The signal handler.
private func passSignalOn(_ number: Int32) {
    let saved = errno
    var byte = UInt8(truncatingIfNeeded: number)
    _ = write(signalPipe.load(ordering: .relaxed), &byte, 1)
    errno = saved
}
