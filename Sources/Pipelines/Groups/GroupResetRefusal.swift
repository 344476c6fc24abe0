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
    /// Another reset, or a reload, is under way.
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
        case .changing: "another reset of the group is under way; try again"
        case .noSuchPartition(let wanted): "the group does not read \(wanted)"
        }
    }
}
