import Glibc
import Synchronization

/// Threads of their own for calls that block (C libraries of databases), fed through one bounded queue.
///
/// Jobs start in the order of submission, urgent ones ahead of the others. A thread is woken only if it sleeps, so that a burst costs one wake-up.
package final class BlockingThreads: Sendable {
    /// Runs on one of the threads; gets the thread's number, from 0.
    package typealias Job = @Sendable (_ thread: Int) -> Void

    private struct State {
        var jobs = JobQueue<Job>()
        var sleeping = 0
        var running = 0
        var isStopping = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state: Mutex<State>
    private let wakeUps: ThreadSemaphore
    private let limit: Int
    private let atExit: Job

    /// - Parameters:
    ///   - limit: how many jobs may wait.
    ///   - atExit: runs on each thread before it ends, after the last job.
    package init(limit: Int, atExit: @escaping Job) {
        self.limit = limit
        self.atExit = atExit
        wakeUps = ThreadSemaphore()
        state = Mutex(State())
    }

    /// Starts the threads; called once.
    ///
    /// - Throws: transient, `host.no_thread`, if the system refuses one; then `stop` ends those that were started.
    package func start(count: Int) throws(ModuleError) {
        for thread in 0..<count {
            state.withLock { $0.running += 1 }
            var identifier = pthread_t()
            let start = Unmanaged.passRetained(Start(self, thread))
            let result = pthread_create(&identifier, nil, { runBlockingThread($0) }, start.toOpaque())
            guard result == 0 else {
                start.release()
                state.withLock { $0.running -= 1 }
                throw .transient(
                    "host.no_thread",
                    "the system refuses another thread (\(String(cString: strerror(result)))); raise the limit on processes")
            }
            pthread_detach(identifier)
        }
    }

    /// How many jobs wait for a thread.
    package var waiting: Int { state.withLock { $0.jobs.count } }

    /// Queues a job. False if the queue is full or the threads are stopping; then the job does not run.
    ///
    /// - Parameter isUrgent: it goes ahead of those that are not, which still have their turn every few milliseconds.
    package func submit(isUrgent: Bool = false, _ job: @escaping Job) -> Bool {
        enum Outcome { case refused, queued, mustWake }
        let outcome = state.withLock { state -> Outcome in
            guard !state.isStopping, state.jobs.count < limit else { return .refused }
            state.jobs.append(job, isUrgent: isUrgent)
            guard state.sleeping > 0 else { return .queued }
            state.sleeping -= 1
            return .mustWake
        }
        if outcome == .mustWake { wakeUps.signal() }
        return outcome != .refused
    }

    /// Runs what is queued and ends the threads. Returns when the last has ended; may be called again.
    package func stop() async {
        await withCheckedContinuation { continuation in
            let (hasEnded, sleepers) = state.withLock { state -> (Bool, Int) in
                state.isStopping = true
                if state.running == 0 { return (true, 0) }
                state.waiters.append(continuation)
                let sleepers = state.sleeping
                state.sleeping = 0
                return (false, sleepers)
            }
            for _ in 0..<sleepers { wakeUps.signal() }
            if hasEnded { continuation.resume() }
        }
    }

    private final class Start: Sendable {
        let threads: BlockingThreads
        let thread: Int

        init(_ threads: BlockingThreads, _ thread: Int) {
            self.threads = threads
            self.thread = thread
        }
    }

    fileprivate static func run(_ context: UnsafeMutableRawPointer) {
        let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
        start.threads.work(start.thread)
    }

    private func work(_ thread: Int) {
        enum Next { case job(Job), sleep, end }
        while true {
            let next = state.withLock { state -> Next in
                if let job = state.jobs.takeNext() { return .job(job) }
                if state.isStopping { return .end }
                state.sleeping += 1
                return .sleep
            }
            switch next {
            case .job(let job): job(thread)
            case .sleep: wakeUps.wait()
            case .end:
                atExit(thread)
                let waiters = state.withLock { state -> [CheckedContinuation<Void, Never>] in
                    state.running -= 1
                    guard state.running == 0 else { return [] }
                    defer { state.waiters = [] }
                    return state.waiters
                }
                for waiter in waiters { waiter.resume() }
                return
            }
        }
    }
}

/// The threads' entry point: a file-scope function, since C calls it on a thread that Swift does not know.
private nonisolated func runBlockingThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { BlockingThreads.run(context) }
    return nil
}
