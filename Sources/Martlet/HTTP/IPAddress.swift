import Glibc

/// An IPv4 or IPv6 address.
public struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    /// In the order of the network, as a number; an IPv4 address as `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2).
    let bits: UInt128

    private static let mappedPrefix: UInt128 = 0xFFFF_0000_0000

    init(bits: UInt128) {
        self.bits = bits
    }

    init(v4 bits: UInt32) {
        self.bits = Self.mappedPrefix | UInt128(bits)
    }

    /// An address as text: `192.0.2.1` or `2001:db8::1`; nil if it is none. No zone, no port, no short forms of IPv4.
    public init?(_ text: String) {
        var v4 = in_addr()
        var v6 = in6_addr()
        if inet_pton(AF_INET, text, &v4) == 1 {
            self.init(v4: UInt32(bigEndian: v4.s_addr))
        } else if inet_pton(AF_INET6, text, &v6) == 1 {
            self.init(bits: withUnsafeBytes(of: &v6) { $0.reduce(0) { $0 << 8 | UInt128($1) } })
        } else {
            return nil
        }
    }

    /// An address as a socket has it: 16 bytes in the order of the network, IPv4 as `::ffff:a.b.c.d`.
    public init(bytes: UnsafeRawBufferPointer) {
        precondition(bytes.count == 16, "an address has 16 bytes, not \(bytes.count)")
        self.init(bits: bytes.reduce(0) { $0 << 8 | UInt128($1) })
    }

    /// The 32 bits of an IPv4 address, mapped or not; nil for another.
    var v4: UInt32? {
        bits >> 32 == Self.mappedPrefix >> 32 ? UInt32(truncatingIfNeeded: bits) : nil
    }

    public var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        if let v4 {
            var address = in_addr(s_addr: v4.bigEndian)
            _ = inet_ntop(AF_INET, &address, &text, socklen_t(text.count))
        } else {
            var address = in6_addr()
            withUnsafeMutableBytes(of: &address) { bytes in
                for index in 0..<16 { bytes[index] = UInt8(truncatingIfNeeded: bits >> UInt128(120 - index * 8)) }
            }
            _ = inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
