/// Where the records of each key lie in one sealed segment: a file of its own, made of the segment and only a hint, so
/// that it may be missing, or removed at any time.
///
/// Little-endian: "MKX1" 4, CRC-32C of all that follows 4, base offset 8, bytes of the segment 8, number of entries 4,
/// bits of a bucket's number 4; then for each bucket, and the end, the index of its first entry 4; then the entries, in
/// the order of hash and offset: CRC-32C of the key 4, offset less the base 4. A bucket has the entries whose hashes
/// begin with its number. Keys are told apart by the records themselves: a hash may be shared.
///
/// Limits: ``entryLimit`` entries; a segment with more is not indexed.
struct KeyIndexFile {
    /// About 64 MB of memory while a file is made.
    static let entryLimit = 8_000_000
    private static let magic: UInt32 = 0x3158_4B4D
    private static let headBytes = 32
    private static let entryBytes = 8
    private static let bitsMax: UInt32 = 20

    let path: String
    private let file: any LogFile
    private let base: Int64
    private let entryCount: Int
    private let bits: UInt32

    /// The hash by which a key is looked for.
    static func hash(_ key: UnsafeRawBufferPointer) -> UInt32 { CRC32C.of(key) }

    /// Writes the file of a segment.
    ///
    /// - Parameter entries: hash and offset less the base, the hash in the upper half; in any order.
    static func write(
        _ entries: [UInt64], base: Int64, segmentBytes: Int, to path: String, _ storage: any LogStorage
    ) throws(LogError) {
        let sorted = entries.sorted()
        // About 64 entries a bucket: half a kilobyte to read.
        var bits: UInt32 = 0
        while bits < bitsMax, sorted.count >> Int(bits) > 64 { bits += 1 }
        var body = ByteWriter()
        body.put(base)
        body.put(Int64(segmentBytes))
        body.put(UInt32(sorted.count))
        body.put(bits)
        var bytes = body.bytes
        bytes.reserveCapacity(bytes.count + (1 << Int(bits)) * 4 + sorted.count * entryBytes + 8)
        var next = 0
        for bucket in 0..<(1 << Int(bits)) {
            while next < sorted.count, Self.bucket(UInt32(truncatingIfNeeded: sorted[next] >> 32), bits) < bucket { next += 1 }
            append(UInt32(next), to: &bytes)
        }
        append(UInt32(sorted.count), to: &bytes)
        for entry in sorted {
            append(UInt32(truncatingIfNeeded: entry >> 32), to: &bytes)
            append(UInt32(truncatingIfNeeded: entry), to: &bytes)
        }
        var head = ByteWriter()
        head.put(magic)
        head.put(bytes.withUnsafeBytes { CRC32C.of($0) })
        let temporary = path + ".new"
        try storage.remove(temporary)
        let file = try storage.open(temporary, create: true)
        try file.write(bytes: head.bytes, at: 0)
        try file.write(bytes: bytes, at: Int64(head.bytes.count))
        try storage.rename(temporary, to: path)
    }

    /// Nil if there is no such file, or it is of another segment or damaged.
    ///
    /// - Parameter isVerified: whether the checksum was compared before in this process.
    init?(_ path: String, base: Int64, segmentBytes: Int, isVerified: Bool, _ storage: any LogStorage) throws(LogError) {
        guard let size = try storage.size(path), size >= Self.headBytes else { return nil }
        file = try storage.open(path, create: false)
        self.path = path
        self.base = base
        let bytes = try file.readBytes(count: isVerified ? Self.headBytes : Int(size), at: 0)
        var reader = ByteReader(Array(bytes.prefix(Self.headBytes)))
        guard reader.take(UInt32.self) == Self.magic, let checksum = reader.take(UInt32.self), reader.take(Int64.self) == base,
            reader.take(Int64.self) == Int64(segmentBytes), let count = reader.take(UInt32.self), let bits = reader.take(UInt32.self),
            bits <= Self.bitsMax, size == Int64(Self.headBytes + ((1 << Int(bits)) + 1) * 4 + Int(count) * Self.entryBytes)
        else { return nil }
        entryCount = Int(count)
        self.bits = bits
        if !isVerified {
            guard bytes.count == Int(size), bytes[8...].withUnsafeBytes({ CRC32C.of($0) }) == checksum else { return nil }
        }
    }

    /// Adds the offsets of the records whose keys may be these, within a range, in no order.
    func find(_ hashes: [UInt32], in range: Range<Int64>, into offsets: inout [Int64]) throws(LogError) {
        for hash in hashes {
            let bounds = try numbers(at: Self.headBytes + Self.bucket(hash, bits) * 4, count: 2)
            guard bounds.count == 2, bounds[0] <= bounds[1], bounds[1] <= UInt32(entryCount) else { continue }
            let start = Self.headBytes + ((1 << Int(bits)) + 1) * 4 + Int(bounds[0]) * Self.entryBytes
            let entries = try numbers(at: start, count: Int(bounds[1] - bounds[0]) * 2)
            for index in stride(from: 0, to: entries.count - 1, by: 2) where entries[index] == hash {
                let offset = base + Int64(entries[index + 1])
                if range.contains(offset) { offsets.append(offset) }
            }
        }
    }

    private func numbers(at position: Int, count: Int) throws(LogError) -> [UInt32] {
        let bytes = try file.readBytes(count: count * 4, at: Int64(position))
        return bytes.withUnsafeBytes { bytes in
            (0..<bytes.count / 4).map { UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self)) }
        }
    }

    private static func bucket(_ hash: UInt32, _ bits: UInt32) -> Int { bits == 0 ? 0 : Int(hash >> (32 - bits)) }

    private static func append(_ value: UInt32, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
