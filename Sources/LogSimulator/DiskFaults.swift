/// What goes wrong on a simulated disk, each with its probability in a thousand operations.
package struct DiskFaults: Sendable {
    package var writeErrorPerMille = 0
    package var syncErrorPerMille = 0
    package var readErrorPerMille = 0
    /// Bytes that fit on the disk; `nil` has no bound.
    package var capacity: Int?
    /// Stops the machine after this many changes of the disk; `nil` lets it run.
    package var powerFailsAfter: Int?

    package init() {}
}

/// A mistake built into the disk that makes the log above it behave as if it had it: what a
/// simulator is worth shows in whether it finds these.
package enum PlantedBug: String, Sendable, CaseIterable {
    /// Syncs of files do nothing, as if the log did not call them.
    case skippedSync
    /// Syncs of folders do nothing.
    case skippedDirectorySync
    /// Journal entries are written one write late: acknowledged before they are on disk.
    case acknowledgedBeforeJournal
    /// Segment files are never synced, so that the journal is freed too early.
    case journalFreedTooEarly
}
