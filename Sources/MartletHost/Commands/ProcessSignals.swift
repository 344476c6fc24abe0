import Glibc
import Martlet
import Pipelines
import Synchronization

/// SIGHUP, SIGTERM and SIGINT, taken by one thread and handed to the main task one after the other.
final class ProcessSignals: Sendable {
    private let stream: AsyncStream<Int32>

    /// Blocks the signals for every thread made from now on, so create it before anything else.
    init() {
        var set = sigset_t()
        sigemptyset(&set)
        for number in [SIGHUP, SIGTERM, SIGINT] { sigaddset(&set, number) }
        pthread_sigmask(SIG_BLOCK, &set, nil)
        let (stream, continuation) = AsyncStream<Int32>.makeStream(bufferingPolicy: .bufferingOldest(16))
        self.stream = stream
        let waiting = set
        Self.startThread {
            var set = waiting
            var asked = 0
            while true {
                var number: Int32 = 0
                guard sigwait(&set, &number) == 0 else { continue }
                if number != SIGHUP {
                    asked += 1
                    // The second request to stop does not wait for the first to be done.
                    if asked > 1 { _exit(1) }
                }
                continuation.yield(number)
            }
        }
    }

    /// Reloads at each SIGHUP; returns when the host has stopped after SIGTERM or SIGINT.
    func run(host: Host, logger: Logger) async {
        for await number in stream {
            if number == SIGHUP {
                let problems = await host.reload()
                if !problems.isEmpty {
                    logger.error("the config was not reloaded; the running one stays\n\(problems.text)")
                }
                continue
            }
            await host.stop()
            return
        }
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) {
        let box = Unmanaged.passRetained(ThreadBody(body))
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { argument in
            guard let argument else { return nil }
            Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run()
            return nil
        }, box.toOpaque())
        precondition(code == 0, "cannot start the signal thread: \(String(cString: strerror(code)))")
    }
}

/// Carries a closure to a new thread.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}
