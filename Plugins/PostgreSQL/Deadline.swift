import Glibc

/// A moment on the monotonic clock.
struct Deadline {
    private let nanoseconds: UInt64

    init(milliseconds: Int) {
        nanoseconds = Self.now() + UInt64(max(0, milliseconds)) * 1_000_000
    }

    /// For poll(2): 0 when it is past.
    var remainingMilliseconds: CInt {
        let now = Self.now()
        return now >= nanoseconds ? 0 : CInt(clamping: (nanoseconds - now + 999_999) / 1_000_000)
    }

    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
