import Synchronization

/// A count shared by several loops, with a limit.
final class SharedCount: Sendable {
    private let count = Atomic(0)

    func takeOne(max: Int) -> Bool {
        if count.add(1, ordering: .relaxed).newValue <= max { return true }
        count.subtract(1, ordering: .relaxed)
        return false
    }

    func giveBackOne() {
        count.subtract(1, ordering: .relaxed)
    }
}
