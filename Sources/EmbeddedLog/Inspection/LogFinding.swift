/// One piece of damage: where it is, and what a repair puts right or gives up.
package struct LogFinding: Sendable, Equatable {
    /// What is damaged.
    package enum Subject: String, Sendable {
        case checkpoint
        case journal
        case topic
        case segment
        case index
    }

    /// Records that are gone: nobody has their bytes any more.
    package struct Loss: Sendable, Equatable {
        /// The topic's name; `incarnation …` if only that is known.
        package let topic: String
        package let partition: Int32
        package let offsets: Range<Int64>
        /// Whether compaction may have removed some of them before, so that fewer records are lost than offsets.
        package let isUpperBound: Bool

        package var records: Int64 { offsets.upperBound - offsets.lowerBound }
    }

    package let subject: Subject
    /// The file or folder.
    package let path: String
    /// The bytes of the file concerned; `nil` for the whole.
    package var bytes: Range<Int64>?
    /// What is wrong, a sentence without its full stop.
    package let problem: String
    /// What a repair does about it.
    package let remedy: String
    package var losses: [Loss] = []
    /// Bytes that may have held more records, of partitions that cannot be told: damage in the words that say where they belong.
    package var unplacedBytes: Int64 = 0

    package var lostRecords: Int64 { losses.reduce(0) { $0 + $1.records } }
}
