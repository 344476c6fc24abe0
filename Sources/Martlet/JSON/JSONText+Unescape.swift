extension JSONText {
    /// Resolves the escapes of a JSON string's inside, which a ``PayloadReader`` has checked.
    static func unescaped(_ inside: UnsafeRawBufferPointer) -> String {
        String(unsafeUninitializedCapacity: inside.count) { target in
            var length = 0
            var index = 0
            func append(_ scalar: UInt32) {
                for byte in Character(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8 {
                    target[length] = byte
                    length += 1
                }
            }
            while index < inside.count {
                guard inside[index] == UInt8(ascii: "\\"), index + 1 < inside.count else {
                    target[length] = inside[index]
                    length += 1
                    index += 1
                    continue
                }
                guard inside[index + 1] == UInt8(ascii: "u") else {
                    target[length] = simpleEscape(inside[index + 1])
                    length += 1
                    index += 2
                    continue
                }
                var scalar = hexadecimal(inside, at: index + 2)
                index += 6
                if (0xD800..<0xDC00).contains(scalar) {
                    scalar = 0x10000 + (scalar - 0xD800) << 10 + (hexadecimal(inside, at: index + 2) &- 0xDC00) & 0x3FF
                    index += 6
                }
                append(scalar)
            }
            return length
        }
    }

    private static func simpleEscape(_ letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }

    /// Four digits; what is none counts as 0.
    private static func hexadecimal(_ bytes: UnsafeRawBufferPointer, at index: Int) -> UInt32 {
        guard index + 4 <= bytes.count else { return 0 }
        return bytes[index..<index + 4].reduce(0) { value, byte in
            let digit: UInt8 =
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
                case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
                case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
                default: 0
                }
            return value << 4 | UInt32(digit)
        }
    }
}
