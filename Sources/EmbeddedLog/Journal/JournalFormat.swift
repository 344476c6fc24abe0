/// Layout of a journal file. Little-endian; blocks of 4096 bytes, so that a write never touches a
/// block that holds acknowledged records.
///
///     block 0: file header                     block 1...: one entry per commit cycle, padded to a block
///      0  "MARTJRNL"            8                0  "MJE1"                        4
///      8  format version        4                4  CRC-32C of bytes 8..<length   4
///     12  CRC-32C of 16...      4                8  generation                    8
///     16  generation            8               16  cycle                         8
///     24  first cycle           8               24  synced-through cycle          8
///     32  log id               16               32  length, padding not counted   4
///                                               36  number of parts               4
///                                               40  log id                       16
///                                               56  zero                          8
///                                               64  parts
///
///     part (56 bytes, then its record batches, padded to 8 bytes)
///      0  topic incarnation    16               32  next offset after it          8
///     16  partition             4               40  segment's base offset         8
///     20  bytes of batches      4               48  position in the segment       4
///     24  base offset           8               52  zero                          4
///
/// A recycled file gets a new generation, which every entry repeats, so what an earlier use left
/// behind is never taken for an entry. Nor are bytes that a producer put into a record: the log's id is
/// random and known to nobody. Cycles count up without a gap across files.
enum JournalFormat {
    static let block = 4096
    static let fileMagic: UInt64 = 0x4C4E_524A_5452_414D
    static let entryMagic: UInt32 = 0x3145_4A4D
    static let version: UInt32 = 1
    static let entryHeaderBytes = 64
    static let partHeaderBytes = 56
    static let fileHeaderBytes = 48

    static func padded(_ bytes: Int) -> Int { (bytes + block - 1) / block * block }
    static func partBytes(_ batches: Int) -> Int { partHeaderBytes + (batches + 7) / 8 * 8 }
}

/// The first block of a journal file.
struct JournalFileHeader: Equatable {
    let generation: UInt64
    let firstCycle: UInt64
    let logID: UUIDBytes

    func encoded() -> [UInt8] {
        var body = ByteWriter()
        body.put(generation)
        body.put(firstCycle)
        body.put(logID)
        var all = ByteWriter()
        all.put(JournalFormat.fileMagic)
        all.put(JournalFormat.version)
        all.put(body.checksum)
        all.put(body.bytes)
        return all.bytes + [UInt8](repeating: 0, count: JournalFormat.block - all.bytes.count)
    }

    /// `nil` if the bytes are not an intact header.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= JournalFormat.fileHeaderBytes else { return nil }
        var reader = ByteReader(bytes)
        guard
            reader.take(UInt64.self) == JournalFormat.fileMagic, reader.take(UInt32.self) == JournalFormat.version,
            let checksum = reader.take(UInt32.self),
            checksum == bytes[16..<JournalFormat.fileHeaderBytes].withUnsafeBytes({ CRC32C.of($0) }),
            let generation = reader.take(UInt64.self), let firstCycle = reader.take(UInt64.self), let logID = reader.takeUUID()
        else { return nil }
        self.init(generation: generation, firstCycle: firstCycle, logID: logID)
    }

    init(generation: UInt64, firstCycle: UInt64, logID: UUIDBytes) {
        self.generation = generation
        self.firstCycle = firstCycle
        self.logID = logID
    }
}

/// The head of an entry, read without its checksum being looked at.
struct JournalEntryHeader {
    let checksum: UInt32
    let generation: UInt64
    let cycle: UInt64
    let syncedThrough: UInt64
    let length: Int
    let partCount: Int
    let logID: UUIDBytes

    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count >= JournalFormat.entryHeaderBytes,
            base.littleEndian(at: 0, as: UInt32.self) == JournalFormat.entryMagic
        else { return nil }
        checksum = base.littleEndian(at: 4, as: UInt32.self)
        generation = base.littleEndian(at: 8, as: UInt64.self)
        cycle = base.littleEndian(at: 16, as: UInt64.self)
        syncedThrough = base.littleEndian(at: 24, as: UInt64.self)
        length = Int(base.littleEndian(at: 32, as: UInt32.self))
        partCount = Int(base.littleEndian(at: 36, as: UInt32.self))
        logID = UUIDBytes(high: base.littleEndian(at: 40, as: UInt64.self), low: base.littleEndian(at: 48, as: UInt64.self))
        guard length >= JournalFormat.entryHeaderBytes else { return nil }
    }
}

/// One partition's share of an entry.
struct JournalPart {
    let incarnation: UUIDBytes
    let partition: Int32
    let baseOffset: Int64
    let nextOffset: Int64
    let segmentBase: Int64
    let position: Int
    let batches: UnsafeRawBufferPointer

    /// Reads the part at `place` and moves past it; `nil` if it does not fit.
    static func read(_ entry: UnsafeRawBufferPointer, _ place: inout Int) -> JournalPart? {
        guard place + JournalFormat.partHeaderBytes <= entry.count, let base = entry.baseAddress else { return nil }
        let part = base + place
        let byteCount = Int(part.littleEndian(at: 20, as: UInt32.self))
        let start = place + JournalFormat.partHeaderBytes
        guard start + byteCount <= entry.count else { return nil }
        place += JournalFormat.partBytes(byteCount)
        return JournalPart(
            incarnation: part.loadUnaligned(as: UUIDBytes.self),
            partition: part.littleEndian(at: 16, as: Int32.self),
            baseOffset: part.littleEndian(at: 24, as: Int64.self),
            nextOffset: part.littleEndian(at: 32, as: Int64.self),
            segmentBase: part.littleEndian(at: 40, as: Int64.self),
            position: Int(part.littleEndian(at: 48, as: UInt32.self)),
            batches: UnsafeRawBufferPointer(start: base + start, count: byteCount))
    }
}
