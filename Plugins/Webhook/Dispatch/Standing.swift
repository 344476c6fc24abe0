/// Whether an endpoint answers, as far as its last attempt says: how long its requests hold their slots depends on it.
enum Standing: Sendable {
    /// Nothing is known of it.
    case new
    /// It answered, or failed at once.
    case answers
    /// It failed, and took its time for it: it did not answer before the timeout, or as slowly as those that are about to die.
    case hangs

    /// A failure that took so long makes an endpoint one that hangs; milliseconds.
    private static let slow: Int64 = 1_000

    /// - Parameter latency: milliseconds.
    mutating func attempted(_ answer: Answer, latency: Int64) {
        switch answer.meaning {
        case .delivered, .gone: self = .answers
        case .overloaded where answer.status == nil: self = .hangs
        case .overloaded, .failed:
            if latency >= Self.slow {
                self = .hangs
            } else if answer.status != nil {
                self = .answers
            }
        }
    }
}
