/// Sixteen raw bytes of a UUID.
struct UUIDBytes: Hashable, Sendable, BitwiseCopyable {
    let high: UInt64
    let low: UInt64

    /// A random (version 4) UUID.
    static func random() -> UUIDBytes {
        var generator = SystemRandomNumberGenerator()
        return UUIDBytes(
            high: generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000, low: generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
    }

    /// Lower-case hexadecimal with dashes.
    var text: String {
        var result = ""
        for (index, byte) in (Self.octets(high) + Self.octets(low)).enumerated() {
            if [4, 6, 8, 10].contains(index) { result += "-" }
            result += String(byte >> 4, radix: 16) + String(byte & 15, radix: 16)
        }
        return result
    }

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    init?(text: String) {
        let digits = text.filter { $0 != "-" }
        guard digits.utf8.count == 32, let high = UInt64(digits.prefix(16), radix: 16), let low = UInt64(digits.suffix(16), radix: 16) else {
            return nil
        }
        self.init(high: high, low: low)
    }

    private static func octets(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) }
    }
}

/// Builds small little-endian structures.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(_ id: UUIDBytes) {
        put(id.high)
        put(id.low)
    }

    mutating func put(_ more: [UInt8]) { bytes += more }

    /// CRC-32C of what was put so far.
    var checksum: UInt32 { bytes.withUnsafeBytes { CRC32C.of($0) } }
}

/// Reads small little-endian structures; `nil` past the end.
struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func take<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
        let size = Value.bitWidth / 8
        guard position + size <= bytes.count else { return nil }
        defer { position += size }
        return bytes.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Value.self)) }
    }

    mutating func takeUUID() -> UUIDBytes? {
        guard let high = take(UInt64.self), let low = take(UInt64.self) else { return nil }
        return UUIDBytes(high: high, low: low)
    }
}

extension UnsafeRawPointer {
    func littleEndian<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type) -> Value {
        Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: type))
    }
}

extension UnsafeMutableRawPointer {
    func storeLittleEndian<Value: FixedWidthInteger>(_ value: Value, at offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }
}
