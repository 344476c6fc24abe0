/// Why a group cannot be reset now.
package enum GroupResetRefusal: Error, Sendable, Hashable, CustomStringConvertible {
    /// It is not paused.
    case running
    /// It is paused, but these partitions have not settled their last batch.
    case batchUnderWay([String])
    /// Its modules are not open, or it stops.
    case notOpen
    /// It runs on the host that has the log.
    case elsewhere
    /// Other hosts read these partitions.
    case onOtherHosts([String])
    /// Another reset, a reload, or a new share of the partitions is under way.
    case changing
    /// The group does not read what was named.
    case noSuchPartition(String)

    package var description: String {
        switch self {
        case .running: "the group runs; pause it first"
        case .batchUnderWay(let places):
            "the group is paused, but the batch under way in \(places.joined(separator: ", ")) has not finished; try again"
        case .notOpen: "the group is not open yet, or stops; look at `/readyz`"
        case .elsewhere: "the group runs on the host that has the log; ask that host"
        case .onOtherHosts(let places):
            "\(places.joined(separator: ", ")) \(places.count == 1 ? "is" : "are") read by other hosts now; pause and reset the group there"
        case .changing: "another change of the group is under way; try again"
        case .noSuchPartition(let wanted): "the group does not read \(wanted)"
        }
    }
}
