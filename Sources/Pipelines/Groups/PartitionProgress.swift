import Martlet
import Synchronization

/// Where a partition's worker stands, for lag and status.
final class PartitionProgress: Sendable {
    private let next = Atomic<Int64>(-1)

    /// The next offset to read; nil before the worker knows it.
    var offset: Offset? {
        let value = next.load(ordering: .relaxed)
        return value < 0 ? nil : value
    }

    func move(to offset: Offset) {
        next.store(offset, ordering: .relaxed)
    }
}
