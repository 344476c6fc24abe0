/// A log that stands outside of the hosts, and that many of them use at the same time: `kafka`.
///
/// A shared log is a module. Its life: decode → validate → ``EventLog/open()``, which does not fail because the log is away →
/// work → ``EventLog/close()``. While it is away, calls fail with a transient error, and ``trouble`` says why.
public protocol SharedLog: EventLog, Module {
    /// Whether topics may have a window of event ids, ``TopicSettings/deduplication``. If not, a config that asks for one is
    /// refused.
    static var supportsDeduplication: Bool { get }

    /// Why the log cannot be used now; nil if it answered the last time.
    var trouble: ModuleError? { get }

    /// Whether the log has answered since ``EventLog/open()``.
    var hasAnswered: Bool { get }

    /// Takes part in a group: the log hands the group's partitions out among the hosts that run it.
    ///
    /// Returns at once; the member is told of its partitions when the log has decided. Until
    /// ``GroupMembership/leave()`` returns, ``EventLog/commit(group:topic:partition:offset:)`` for the group commits as this
    /// member, and fails with `log.not_owner`, transient, for a partition that is not the member's.
    func join(_ group: GroupName, topics: [TopicName], as member: any GroupMember) throws(ModuleError) -> any GroupMembership
}

extension SharedLog {
    public static var supportsDeduplication: Bool { false }
}

/// A host's part in a group of a ``SharedLog``. Calls come one after the other.
public protocol GroupMember: Sendable {
    /// These partitions, and no others, are the member's from now on. Before it, what was assigned earlier was revoked.
    func assigned(_ partitions: [TopicName: [PartitionID]]) async

    /// All partitions may be another host's once this returns: what was settled must be committed by then, and nothing may be
    /// read or settled after it.
    func revoked() async
}

/// See ``SharedLog/join(_:topics:as:)``.
public protocol GroupMembership: Sendable {
    /// Gives the partitions back; the member is told that they are revoked, before this returns.
    func leave() async
}
