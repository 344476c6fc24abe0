import Glibc

/// Jobs in the order of their submission, and urgent ones ahead of them. While urgent ones keep coming, another one has its
/// turn every ``patience``: what accumulates behind it is done in fewer, larger steps meanwhile.
struct JobQueue<Job> {
    /// Nanoseconds.
    private static var patience: UInt64 { 5_000_000 }

    private var jobs = FIFOQueue<Job>()
    private var urgent = FIFOQueue<Job>()
    /// When an urgent job first went ahead of the ones that wait.
    private var waitingSince: UInt64?

    var count: Int { jobs.count + urgent.count }

    mutating func append(_ job: Job, isUrgent: Bool) {
        if isUrgent { urgent.append(job) } else { jobs.append(job) }
    }

    mutating func takeNext() -> Job? {
        guard urgent.count > 0 else {
            waitingSince = nil
            return jobs.count > 0 ? jobs.removeFirst() : nil
        }
        guard jobs.count > 0 else { return urgent.removeFirst() }
        let now = Self.now()
        guard let since = waitingSince, now - since >= Self.patience else {
            if waitingSince == nil { waitingSince = now }
            return urgent.removeFirst()
        }
        waitingSince = now
        return jobs.removeFirst()
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
