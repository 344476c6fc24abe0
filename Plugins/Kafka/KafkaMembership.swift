import Martlet
import Synchronization

/// A membership as its owner has it; once it is left, the group's commits are no member's.
final class KafkaMembership: GroupMembership {
    private struct WeakMember {
        weak var member: KafkaMember?
    }

    /// The log holds it until it is left.
    private let state: Mutex<WeakMember>
    private let onLeft: @Sendable () -> Void

    init(_ member: KafkaMember, onLeft: @escaping @Sendable () -> Void) {
        state = Mutex(WeakMember(member: member))
        self.onLeft = onLeft
    }

    func leave() async {
        await state.withLock { $0.member }?.leave()
        onLeft()
    }
}
