package import Martlet
import Synchronization

/// What holds a group up, per partition: for `/readyz`, `martlet groups` and the log lines.
package final class GroupHealth: Sendable {
    /// A partition that cannot go on.
    package struct Trouble: Sendable {
        package let error: ModuleError
        package let since: Int64
        package var attempts: Int
    }

    private let troubles = Mutex<[GroupPartition: Trouble]>([:])
    private let logger: Logger

    package init(logger: Logger) {
        self.logger = logger
    }

    /// Partitions that are being retried, with the last error of each.
    package var current: [GroupPartition: Trouble] {
        troubles.withLock { $0 }
    }

    /// The group's workers have ended: what they waited for is no longer known.
    func forget() {
        troubles.withLock { $0.removeAll() }
    }

    func succeeded(_ place: GroupPartition) {
        guard let trouble = troubles.withLock({ $0.removeValue(forKey: place) }) else { return }
        logger.info("partition goes on after \(trouble.attempts) failed attempts",
            ("topic", place.topic.text), ("partition", String(place.partition)))
    }

    /// The first failure is logged, then each time the number of attempts doubles.
    func failed(_ place: GroupPartition, _ error: ModuleError, retryIn wait: Duration) {
        let attempts = troubles.withLock { troubles in
            var trouble = Trouble(error: error, since: troubles[place]?.since ?? Timestamp.now(), attempts: 1)
            trouble.attempts += troubles[place]?.attempts ?? 0
            troubles[place] = trouble
            return trouble.attempts
        }
        guard attempts & (attempts - 1) == 0 else { return }
        logger.warning("\(error.message); trying again (attempt \(attempts + 1))",
            ("code", error.code), ("kind", error.kind.rawValue), ("topic", place.topic.text),
            ("partition", String(place.partition)))
    }

    func deadLettered(_ place: GroupPartition, _ record: Record, _ error: ModuleError) {
        logger.error("record dead-lettered: \(error.message)",
            ("code", error.code), ("topic", place.topic.text), ("partition", String(place.partition)),
            ("offset", String(record.offset)))
    }
}
