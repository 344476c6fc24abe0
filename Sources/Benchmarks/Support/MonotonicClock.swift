import CLinux

/// Times of the monotonic clock, in nanoseconds.
enum MonotonicClock {
    static var now: Int64 { clinux_now_ns() }

    static func seconds(_ seconds: Double) -> Int64 { Int64(seconds * 1e9) }

    /// Polls a condition each few milliseconds (`interval` is in seconds) until it holds; false if the time is over.
    static func wait(atMost limit: Double, every interval: Double = 0.002, until condition: () -> Bool) -> Bool {
        let deadline = now + seconds(limit)
        while !condition() {
            if now > deadline { return false }
            clinux_sleep_until(now + seconds(interval))
        }
        return true
    }
}
