import Martlet

/// What became of one attempt, to be written down.
struct AttemptResult: Sendable {
    /// What the delivery does next.
    enum Next: Sendable {
        case delivered
        /// Another attempt, at this time in milliseconds since the epoch.
        case retry(dueAt: Int64)
        /// No other attempt.
        case failed
    }

    let endpoint: String
    let delivery: Int64
    let key: Bytes?
    /// Counted from 1.
    let attempt: Int
    /// Failed attempts of the schedule, this one included.
    let failures: Int
    /// Milliseconds since the epoch.
    let startedAt: Int64
    let latencyMilliseconds: Int64
    let status: Int?
    /// Why there was no answer, or none that counts.
    let error: String?
    let answer: Bytes
    let next: Next
}
