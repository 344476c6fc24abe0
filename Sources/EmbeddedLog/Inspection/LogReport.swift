/// What a look at a whole log found.
package struct LogReport: Sendable {
    /// All damage; empty if the log is sound.
    package internal(set) var findings: [LogFinding] = []
    /// What looks odd and is not damage: leftovers that the next start removes.
    package internal(set) var notes: [String] = []
    package internal(set) var topics = 0
    package internal(set) var partitions = 0
    package internal(set) var segments = 0
    package internal(set) var batches = 0
    package internal(set) var records = 0
    /// Bytes of the segments.
    package internal(set) var bytes = 0
    /// Journal entries that the next start replays.
    package internal(set) var journalEntries = 0
    /// The last of them: damage in it cannot be told from a write that a crash cut short.
    package internal(set) var lastJournalEntry: (path: String, bytes: Range<Int64>)?
    /// Whether the log was closed, so that the journal does not matter.
    package internal(set) var wasClosed = false

    package var isSound: Bool { findings.isEmpty }
    package var lostRecords: Int64 { findings.reduce(0) { $0 + $1.lostRecords } }
}
