import Glibc

/// The time, injected so that tests decide it.
package protocol LogClock: Sendable {
    /// Milliseconds since the epoch. May step in either direction.
    func now() -> Int64
}

/// The system's clock.
package struct SystemLogClock: LogClock {
    package init() {}

    package func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
