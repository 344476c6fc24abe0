/// A set of ASCII bytes as two bit masks, so that a look-up touches no memory.
struct ByteSet {
    /// Bytes 0–63 and 64–127, one bit each.
    let low: UInt64
    let high: UInt64

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        if byte < 64 { return (low >> UInt64(byte)) & 1 != 0 }
        if byte < 128 { return (high >> UInt64(byte & 63)) & 1 != 0 }
        return false
    }

    // The masks are literals to stay constants of the compiled code; `ByteSetTests` checks them against the characters.

    /// RFC 9110 section 5.6.2 `tchar`: letters, digits and !#$%&'*+-.^_`|~
    @inline(__always)
    static var token: ByteSet { ByteSet(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE) }

    /// RFC 3986 `pchar` and `/`, without `%`: letters, digits and -._~!$&'()*+,;=:@/
    @inline(__always)
    static var path: ByteSet { ByteSet(low: 0x2FFF_FFD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFF) }

    /// Path characters and `?`, and what browsers leave bare in queries: []\^`{|}
    @inline(__always)
    static var query: ByteSet { ByteSet(low: 0xAFFF_FFD2_0000_0000, high: 0x7FFF_FFFF_FFFF_FFFF) }

    /// RFC 3986 `reg-name`, without `%`: letters, digits and -._~!$&'()*+,;=
    @inline(__always)
    static var host: ByteSet { ByteSet(low: 0x2BFF_7FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE) }
}

/// The value of a hexadecimal digit, or nil.
@inline(__always)
func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte &- 0x30
    case 0x41...0x46: byte &- 0x37
    case 0x61...0x66: byte &- 0x57
    default: nil
    }
}

/// The byte, an ASCII capital made small.
@inline(__always)
func asciiLowercase(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}

/// Whether `count` bytes at `start` are `text` (given in small letters), capitals and small letters being equal.
@inline(__always)
func equalsIgnoringCase(_ start: UnsafePointer<UInt8>, _ count: Int, _ text: StaticString) -> Bool {
    guard count == text.utf8CodeUnitCount else { return false }
    let expected = text.utf8Start
    var position = 0
    while position < count {
        if asciiLowercase(start[position]) != expected[position] { return false }
        position &+= 1
    }
    return true
}
