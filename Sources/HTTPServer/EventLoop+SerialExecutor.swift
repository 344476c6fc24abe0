/// An actor may run on a loop: its calls to connections and streams of that loop then cost no thread hop.
extension EventLoop: SerialExecutor {
    /// Queues a job of an actor on the loop's thread.
    package func enqueue(_ job: consuming ExecutorJob) {
        submit(.job(UnownedJob(job)))
    }

    /// Called by the runtime when an actor's isolation is asserted outside a job of it.
    package func checkIsolated() {
        preconditionOnLoop()
    }
}
