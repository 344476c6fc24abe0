import Synchronization

/// Counts the subscriptions of a bus, those of remote clients with them.
final class SubscriptionLimit: Sendable {
    let maximum: Int
    private let count = Mutex(0)

    init(_ maximum: Int) {
        self.maximum = maximum
    }

    /// Counts one more; false at the limit.
    func take() -> Bool {
        count.withLock { count in
            guard count < maximum else { return false }
            count += 1
            return true
        }
    }

    func give(_ number: Int = 1) {
        count.withLock { $0 -= number }
    }
}
