/// Sparse index of a segment: where a batch starts every 16 KiB or so. Only a hint that can be
/// rebuilt from the segment; it saves reading the segment from its start.
///
/// On disk (`<base offset>.index`, little-endian), written when a segment is complete or the log is
/// closed: "MIX1" 4, CRC-32C of the rest 4, size of the segment covered 8, max timestamp 8, then
/// entries of relative offset 4, position 4, largest timestamp before the position 8.
struct SegmentIndex: Sendable {
    static let interval = 16 << 10
    private static let magic: UInt32 = 0x3158_494D
    private static let headBytes = 24
    private static let entryBytes = 16

    struct Entry: Sendable, Equatable {
        let relativeOffset: UInt32
        let position: UInt32
        /// Largest timestamp of the records before `position`.
        let timestampBefore: Int64
    }

    private(set) var entries: [Entry] = []
    /// Bytes of the segment that the index knows.
    private(set) var coveredBytes = 0
    private(set) var maxTimestamp = Int64.min
    private var nextEntryAt = 0

    /// Takes note of the batch that follows what is covered.
    mutating func add(relativeOffset: Int64, bytes: Int, maxTimestamp: Int64) {
        if coveredBytes >= nextEntryAt {
            entries.append(
                Entry(
                    relativeOffset: UInt32(clamping: relativeOffset), position: UInt32(clamping: coveredBytes),
                    timestampBefore: self.maxTimestamp))
            nextEntryAt = coveredBytes + Self.interval
        }
        coveredBytes += bytes
        self.maxTimestamp = max(self.maxTimestamp, maxTimestamp)
    }

    /// Where a batch starts, and which it is.
    struct Place {
        let position: Int
        /// `nil` if the entry cannot hold it.
        let relativeOffset: Int64?
    }

    /// Where to start looking for an offset.
    func place(relativeOffset: Int64) -> Place {
        place(before: entries.partitionIndex { Int64($0.relativeOffset) > relativeOffset })
    }

    /// Where to start looking for the first record with a timestamp at or after one.
    func place(timestamp: Int64) -> Place {
        place(before: entries.partitionIndex { $0.timestampBefore >= timestamp })
    }

    private func place(before index: Int) -> Place {
        if index == 0 { return Place(position: 0, relativeOffset: 0) }
        let entry = entries[index - 1]
        return Place(position: Int(entry.position), relativeOffset: entry.relativeOffset == .max ? nil : Int64(entry.relativeOffset))
    }

    /// Lets nobody skip the segment by its timestamps: one of them cannot be trusted.
    mutating func distrustTimestamps() { maxTimestamp = .max }

    func encoded() -> [UInt8] {
        var body = ByteWriter()
        body.put(Int64(coveredBytes))
        body.put(maxTimestamp)
        for entry in entries {
            body.put(entry.relativeOffset)
            body.put(entry.position)
            body.put(entry.timestampBefore)
        }
        var all = ByteWriter()
        all.put(Self.magic)
        all.put(body.checksum)
        return all.bytes + body.bytes
    }

    init() {}

    /// `nil` unless the bytes are an intact index.
    init?(_ bytes: [UInt8]) {
        var reader = ByteReader(bytes)
        guard bytes.count >= Self.headBytes, (bytes.count - Self.headBytes) % Self.entryBytes == 0,
            reader.take(UInt32.self) == Self.magic,
            reader.take(UInt32.self) == bytes[8...].withUnsafeBytes({ CRC32C.of($0) }),
            let covered = reader.take(Int64.self), let timestamp = reader.take(Int64.self)
        else { return nil }
        coveredBytes = Int(covered)
        maxTimestamp = timestamp
        while let offset = reader.take(UInt32.self), let position = reader.take(UInt32.self), let before = reader.take(Int64.self) {
            entries.append(Entry(relativeOffset: offset, position: position, timestampBefore: before))
        }
        nextEntryAt = Int(entries.last?.position ?? 0) + Self.interval
    }
}

extension RandomAccessCollection where Index == Int {
    /// Index of the first element that fits, in a collection where those that fit come last.
    func partitionIndex(where fits: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if fits(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
