package import Martlet

/// What a reset does to one partition of a group.
package struct GroupOffsetChange: Sendable {
    package let place: GroupPartition
    /// The next record that the group would have consumed; nil if that is not known.
    package let from: Offset?
    /// The next record that it will consume, within what the partition has.
    package let to: Offset
    /// What the partition has: the first offset kept, up to the end.
    package let available: Range<Offset>
}
