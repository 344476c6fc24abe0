/// What is durable in the segments: the journal is needed only from here on.
///
/// The file `~checkpoint`, replaced by a rename. Little-endian: "MARTCKPT" 8, version 4, CRC-32C of
/// version and rest 4, log id 16, cycle 8, journal generation 8, journal position 8, clean 8, row count 8, rows.
struct Checkpoint: Equatable {
    /// One partition, 64 bytes.
    struct Row: Equatable {
        let incarnation: UUIDBytes
        let partition: Int32
        let startOffset: Int64
        let nextOffset: Int64
        let segmentBase: Int64
        let segmentSize: Int64
        let segmentCreatedAt: Int64
        let maxTimestamp: Int64
    }

    private static let magic: UInt64 = 0x5450_4B43_5452_414D
    private static let version: UInt32 = 1
    private static let versionBytes = 4

    let logID: UUIDBytes
    let cycle: UInt64
    let generation: UInt64
    let position: Int
    /// Whether the log was closed and nothing was appended since.
    let clean: Bool
    let rows: [Row]

    init(logID: UUIDBytes, cycle: UInt64, generation: UInt64, position: Int, clean: Bool, rows: [Row]) {
        self.logID = logID
        self.cycle = cycle
        self.generation = generation
        self.position = position
        self.clean = clean
        self.rows = rows
    }

    func encoded() -> [UInt8] {
        var body = ByteWriter()
        body.put(Self.version)
        body.put(logID)
        body.put(cycle)
        body.put(generation)
        body.put(Int64(position))
        body.put(clean ? 1 : 0 as Int64)
        body.put(Int64(rows.count))
        for row in rows {
            body.put(row.incarnation)
            body.put(Int64(row.partition))
            body.put(row.startOffset)
            body.put(row.nextOffset)
            body.put(row.segmentBase)
            body.put(row.segmentSize)
            body.put(row.segmentCreatedAt)
            body.put(row.maxTimestamp)
        }
        var all = ByteWriter()
        all.put(Self.magic)
        all.put(Self.version)
        all.put(body.checksum)
        return all.bytes + body.bytes.dropFirst(Self.versionBytes)
    }

    init(_ bytes: [UInt8], path: String) throws(LogError) {
        var reader = ByteReader(bytes)
        guard reader.take(UInt64.self) == Self.magic, let version = reader.take(UInt32.self), let checksum = reader.take(UInt32.self) else {
            throw LogError(.damaged, "not a checkpoint file; restore it, \(LogError.lastResort)", path: path)
        }
        let computed = (bytes[8..<12] + bytes[16...]).withUnsafeBytes { CRC32C.of($0) }
        guard checksum == computed else {
            throw LogError(
                .checksumMismatch,
                "the checkpoint has checksum \(String(checksum, radix: 16)), its bytes \(String(computed, radix: 16)); restore it, \(LogError.lastResort)",
                path: path)
        }
        guard version == Self.version else {
            throw LogError(.unsupportedVersion, "the log has format version \(version), this build reads \(Self.version)", path: path)
        }
        guard let logID = reader.takeUUID(), let cycle = reader.take(UInt64.self), let generation = reader.take(UInt64.self),
            let position = reader.take(Int64.self), let clean = reader.take(Int64.self), let count = reader.take(Int64.self)
        else { throw LogError(.damaged, "the checkpoint is cut short", path: path) }
        var rows: [Row] = []
        for _ in 0..<count {
            guard let row = Self.row(&reader) else { throw LogError(.damaged, "the checkpoint is cut short", path: path) }
            rows.append(row)
        }
        self.init(logID: logID, cycle: cycle, generation: generation, position: Int(position), clean: clean == 1, rows: rows)
    }

    private static func row(_ reader: inout ByteReader) -> Row? {
        guard let incarnation = reader.takeUUID(), let partition = reader.take(Int64.self), let start = reader.take(Int64.self),
            let next = reader.take(Int64.self), let base = reader.take(Int64.self), let size = reader.take(Int64.self),
            let created = reader.take(Int64.self), let timestamp = reader.take(Int64.self)
        else { return nil }
        return Row(
            incarnation: incarnation, partition: Int32(truncatingIfNeeded: partition), startOffset: start, nextOffset: next,
            segmentBase: base, segmentSize: size, segmentCreatedAt: created, maxTimestamp: timestamp)
    }
}
