/// One file of a partition: `<20-digit base offset>.log`.
struct Segment: Sendable {
    let base: Int64
    /// Counts the rewrites by compaction: a reader of an earlier one looks again.
    var version = 0
    /// Bytes committed, and bytes of them that the file holds.
    var size: Int
    var flushedSize: Int
    /// When the segment was begun, in milliseconds since the epoch; 0 if not known.
    var createdAt: Int64
    /// Largest timestamp; `nil` until the index or the segment was read.
    var maxTimestamp: Int64?
    /// Index of what was flushed; `nil` when it has to be loaded or rebuilt.
    var index: SegmentIndex?
    /// Whether the file exists.
    var created: Bool
    /// Whether an index file for the whole segment is on disk.
    var indexSaved = false

    /// A segment about to be begun.
    init(newAt base: Int64, now: Int64) {
        self.base = base
        size = 0
        flushedSize = 0
        createdAt = now
        maxTimestamp = .min
        index = SegmentIndex()
        created = false
    }

    /// A file found on disk.
    init(onDisk base: Int64, size: Int) {
        self.base = base
        self.size = size
        flushedSize = size
        createdAt = 0
        created = true
        indexSaved = true
    }

    /// Name without its ending.
    static func name(_ base: Int64) -> String {
        let digits = String(base)
        return String(repeating: "0", count: 20 - digits.utf8.count) + digits
    }

    /// The base offset in a file name with the given ending.
    static func base(_ fileName: String, _ ending: String) -> Int64? {
        guard fileName.utf8.count == 20 + ending.utf8.count, fileName.hasSuffix(ending) else { return nil }
        return Int64(fileName.prefix(20))
    }
}
