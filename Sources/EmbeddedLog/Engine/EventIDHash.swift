/// 128 bits that stand for an event's id: two SipHash values with keys that are made anew with each process, so that
/// nobody outside can look for ids that collide. Two ids that collide by chance would make the later event a duplicate: with a
/// million ids known, about once in 10^32 events.
struct EventIDHash: Hashable, Sendable, BitwiseCopyable {
    let low: UInt64
    let high: UInt64

    /// For a record without an id: it is always new.
    static let none = EventIDHash(low: 0, high: 0)

    init(low: UInt64, high: UInt64) {
        self.low = low
        self.high = high
    }

    init(_ id: UnsafeRawBufferPointer) {
        self.init(low: Self.hash(id, 0), high: Self.hash(id, 1))
    }

    func hash(into hasher: inout Hasher) { hasher.combine(low) }

    private static func hash(_ id: UnsafeRawBufferPointer, _ half: UInt8) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(half)
        hasher.combine(bytes: id)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}

extension RecordHeader {
    /// The header that holds an event's id.
    package static let eventID = "martlet-id"
    /// The header of a dead letter that names its topic: a record that brings it is sent again on purpose, and always new.
    package static let replay = "dead-letter-topic"
}

extension RecordCursor {
    private static let idName = Array(RecordHeader.eventID.utf8)
    private static let replayName = Array(RecordHeader.replay.utf8)

    /// The hash of the current record's event id.
    func eventID() throws(LogError) -> EventIDHash {
        var found = EventIDHash.none
        var isReplay = isControl
        try forEachHeader { name, value in
            if let value, found == .none, Self.matches(name, Self.idName) { found = EventIDHash(value) }
            if Self.matches(name, Self.replayName) { isReplay = true }
        }
        return isReplay ? .none : found
    }

    private static func matches(_ name: UnsafeRawBufferPointer, _ wanted: [UInt8]) -> Bool {
        name.count == wanted.count && wanted.withUnsafeBytes { $0.elementsEqual(name) }
    }
}

extension RecordBatch {
    /// The hashes of the records' event ids, one each.
    func eventIDs() throws(LogError) -> [EventIDHash] {
        let chunk = LogChunk(copying: UnsafeRawBufferPointer(start: memory, count: byteCount), from: 0, path: nil)
        var ids: [EventIDHash] = []
        ids.reserveCapacity(recordCount)
        var cursor = chunk.records()
        while try cursor.next() { ids.append(try cursor.eventID()) }
        return ids
    }
}
