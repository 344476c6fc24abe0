import CEvent

/// Runs each piece of a task on a thread of its own, so that a test which blocks on a socket holds up nobody else.
final class ThreadPerJob: TaskExecutor {
    private final class Job {
        let job: UnownedJob
        let executor: UnownedTaskExecutor

        init(_ job: UnownedJob, _ executor: UnownedTaskExecutor) {
            self.job = job
            self.executor = executor
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let context = Unmanaged.passRetained(Job(UnownedJob(job), asUnownedTaskExecutor())).toOpaque()
        var thread = pthread_t()
        let code = pthread_create(&thread, nil, { context in
            guard let context else { return nil }
            let work = Unmanaged<Job>.fromOpaque(context).takeRetainedValue()
            work.job.runSynchronously(on: work.executor)
            return nil
        }, context)
        precondition(code == 0, "no thread for a test's job: errno \(code)")
        pthread_detach(thread)
    }

    static let shared = ThreadPerJob()
}
