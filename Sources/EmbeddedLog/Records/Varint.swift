/// Zigzag varints of Kafka's record format (as in Protocol Buffers' `sint32`, `sint64`).
enum Varint {
    /// Longest encoding of a 64-bit value.
    static let maxBytes = 10

    static func length(_ value: Int64) -> Int {
        let bits = UInt64.bitWidth - zigzag(value).leadingZeroBitCount
        return max(1, (bits + 6) / 7)
    }

    /// Writes `value` and returns the number of bytes.
    static func write(_ value: Int64, to pointer: UnsafeMutableRawPointer) -> Int {
        var rest = zigzag(value)
        var count = 0
        while rest > 0x7f {
            pointer.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
            rest >>= 7
            count += 1
        }
        pointer.storeBytes(of: UInt8(rest), toByteOffset: count, as: UInt8.self)
        return count + 1
    }

    /// Reads a value at `position`, moving it past; `nil` if it runs over `end` or over 64 bits.
    @inline(__always)
    static func read(_ pointer: UnsafeRawPointer, _ position: inout Int, end: Int) -> Int64? {
        var result: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 64 {
            let byte = pointer.load(fromByteOffset: position, as: UInt8.self)
            position += 1
            result |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return Int64(bitPattern: result >> 1) ^ -Int64(bitPattern: result & 1) }
            shift += 7
        }
        return nil
    }

    private static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }
}
