/// When a delivery that failed is tried again.
struct RetrySchedule: Sendable {
    /// Milliseconds, one for each further attempt.
    let delays: [Int64]
    let jitterPercent: Int
    /// Milliseconds.
    let retryAfterLimit: Int64

    init(_ config: RetryConfig) {
        delays = config.delaysSeconds.map { Int64($0) * 1000 }
        jitterPercent = config.jitterPercent
        retryAfterLimit = Int64(config.retryAfterMaxSeconds) * 1000
    }

    /// Milliseconds until the next attempt; nil if there is none.
    ///
    /// - Parameters:
    ///   - failures: failed attempts, the last one included.
    ///   - retryAfter: what the endpoint asked for, in milliseconds; a longer wait than the schedule's, up to the limit.
    ///   - random: from 0 to 1.
    func wait(failures: Int, retryAfter: Int64?, random: Double) -> Int64? {
        guard failures <= delays.count else { return nil }
        let delay = Double(delays[max(0, failures - 1)])
        let jitter = delay * Double(jitterPercent) / 100 * (random * 2 - 1)
        return max(Int64(delay + jitter), min(retryAfter ?? 0, retryAfterLimit))
    }
}
