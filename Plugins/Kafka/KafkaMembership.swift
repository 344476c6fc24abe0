import Martlet

/// A membership as its owner has it; once it is left, the group's commits are no member's.
final class KafkaMembership: GroupMembership {
    private let member: KafkaMember
    private let onLeft: @Sendable () -> Void

    init(_ member: KafkaMember, onLeft: @escaping @Sendable () -> Void) {
        self.member = member
        self.onLeft = onLeft
    }

    func leave() async {
        await member.leave()
        onLeft()
    }
}
