/// The base64url alphabet of RFC 4648, section 5, without padding.
package enum Base64URL {
    @usableFromInline static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Encodes byte by byte, so that no array of the input is needed.
    package struct Writer {
        @usableFromInline var bits: UInt32 = 0
        @usableFromInline var count: UInt32 = 0

        @inlinable package init() {}

        /// Adds a byte.
        @inlinable package mutating func append(_ byte: UInt8, to text: inout [UInt8]) {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                text.append(Base64URL.alphabet[Int(bits >> count & 0x3F)])
            }
        }

        /// Writes the bits that are left; to be called at the end.
        @inlinable package mutating func finish(_ text: inout [UInt8]) {
            if count > 0 { text.append(Base64URL.alphabet[Int(bits << (6 - count) & 0x3F)]) }
            count = 0
        }
    }

    /// The text of some bytes.
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        var writer = Writer()
        for byte in bytes { writer.append(byte, to: &text) }
        writer.finish(&text)
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil if the text has other characters, an impossible length, or bits set that no encoder sets.
    package static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count * 3 / 4)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for character in text.utf8 {
            guard let value = value(of: character) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> count))
                bits &= (1 << count) - 1
            }
        }
        return count < 6 && bits == 0 ? bytes : nil
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
