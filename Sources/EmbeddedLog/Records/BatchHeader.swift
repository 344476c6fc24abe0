/// The 61 bytes before the records of a Kafka record batch, magic v2. Big-endian:
///
///     0  base offset            8      27  base timestamp         8
///     8  length after this      4      35  max timestamp          8
///    12  partition leader epoch 4      43  producer id            8
///    16  magic = 2              1      51  producer epoch         2
///    17  CRC-32C of 21...       4      53  base sequence          4
///    21  attributes             2      57  record count           4
///    23  last offset delta      4      61  records
///
/// Attributes: bits 0 to 2 compression (`Compression`), bit 3 append time, bit 4 transactional, bit 5 control.
/// A batch of append time gives all its records the max timestamp. The records of control batches are a broker's
/// transaction markers; they are kept, and readers pass over them.
///
/// The checksum does not cover the first 21 bytes: the base offset is filled in at the commit.
/// Source: https://kafka.apache.org/documentation/#recordbatch
struct BatchHeader {
    static let bytes = 61
    /// Bytes before the ones that `batchLength` counts.
    static let lengthEnd = 12
    static let checksumStart = 21
    static let magic: Int8 = 2
    static let compressionMask: Int16 = 7
    static let appendTimeFlag: Int16 = 1 << 3
    static let transactionalFlag: Int16 = 1 << 4
    static let controlFlag: Int16 = 1 << 5
    /// Larger batches are taken for damage.
    static let maxBytes = 1 << 30

    let baseOffset: Int64
    /// Whole size, this header included.
    let totalBytes: Int
    let checksum: UInt32
    let attributes: Int16
    let lastOffsetDelta: Int32
    let baseTimestamp: Int64
    let maxTimestamp: Int64
    let producerID: Int64
    let producerEpoch: Int16
    let baseSequence: Int32
    let recordCount: Int32

    var lastOffset: Int64 { baseOffset + Int64(lastOffsetDelta) }
    var nextOffset: Int64 { lastOffset + 1 }
    var compression: Int16 { attributes & Self.compressionMask }
    var isAppendTime: Bool { attributes & Self.appendTimeFlag != 0 }
    var isControl: Bool { attributes & Self.controlFlag != 0 }

    /// Reads a header; `nil` if the bytes cannot be one. The checksum is not looked at.
    init?(_ pointer: UnsafeRawPointer, available: Int) {
        guard available >= Self.bytes, Int8(bitPattern: pointer.load(fromByteOffset: 16, as: UInt8.self)) == Self.magic else { return nil }
        let length = Int(pointer.bigEndian(at: 8, as: Int32.self))
        guard length >= Self.bytes - Self.lengthEnd, length < Self.maxBytes else { return nil }
        baseOffset = pointer.bigEndian(at: 0, as: Int64.self)
        totalBytes = length + Self.lengthEnd
        checksum = pointer.bigEndian(at: 17, as: UInt32.self)
        attributes = pointer.bigEndian(at: 21, as: Int16.self)
        lastOffsetDelta = pointer.bigEndian(at: 23, as: Int32.self)
        baseTimestamp = pointer.bigEndian(at: 27, as: Int64.self)
        maxTimestamp = pointer.bigEndian(at: 35, as: Int64.self)
        producerID = pointer.bigEndian(at: 43, as: Int64.self)
        producerEpoch = pointer.bigEndian(at: 51, as: Int16.self)
        baseSequence = pointer.bigEndian(at: 53, as: Int32.self)
        recordCount = pointer.bigEndian(at: 57, as: Int32.self)
        guard baseOffset >= 0, lastOffsetDelta >= 0, recordCount >= 0 else { return nil }
    }

    /// A batch without records that stands for offsets which hold none any more: batches follow each other without a gap, so
    /// that a missing one is noticed. Kafka's clients know such batches from its own compaction.
    /// - Parameter offsets: not empty; a longer range than one batch can cover is left to the next.
    static func filler(for offsets: Range<Int64>) -> [UInt8] {
        let count = min(offsets.upperBound - offsets.lowerBound, Int64(Int32.max))
        var batch = [UInt8](repeating: 0, count: bytes)
        batch.withUnsafeMutableBytes { batch in
            guard let batch = batch.baseAddress else { return }
            batch.storeBigEndian(offsets.lowerBound, at: 0)
            batch.storeBigEndian(Int32(bytes - lengthEnd), at: 8)
            batch.storeBigEndian(magic, at: 16)
            batch.storeBigEndian(Int32(count - 1), at: 23)
            // No timestamp, producer, epoch or sequence: -1.
            (batch + 27).initializeMemory(as: UInt8.self, repeating: 0xFF, count: 30)
            seal(batch, count: bytes)
        }
        return batch
    }

    /// Gives a batch its checksum.
    static func seal(_ batch: UnsafeMutableRawPointer, count: Int) {
        let covered = UnsafeRawBufferPointer(start: batch + checksumStart, count: count - checksumStart)
        batch.storeBigEndian(CRC32C.of(covered), at: 17)
    }

    /// Whether the checksum fits the bytes of the whole batch at `pointer`.
    func checksumMatches(_ pointer: UnsafeRawPointer) -> Bool {
        CRC32C.of(UnsafeRawBufferPointer(start: pointer + Self.checksumStart, count: totalBytes - Self.checksumStart)) == checksum
    }
}

extension UnsafeRawPointer {
    @inline(__always)
    func bigEndian<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value {
        Value(bigEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}

extension UnsafeMutableRawPointer {
    @inline(__always)
    func storeBigEndian<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        storeBytes(of: value.bigEndian, toByteOffset: offset, as: Value.self)
    }
}
