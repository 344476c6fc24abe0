/// Base64 with padding (RFC 4648, section 4).
package enum Base64 {
    private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// The text of some bytes.
    package static func encode(_ bytes: Bytes) -> String {
        bytes.withUnsafeBytes { source in
            var text: [UInt8] = []
            text.reserveCapacity((source.count + 2) / 3 * 4)
            for start in stride(from: 0, to: source.count, by: 3) {
                let group = source[start..<min(start + 3, source.count)]
                let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
                for position in 0..<4 {
                    text.append(position <= group.count ? alphabet[bits >> (18 - 6 * position) & 63] : UInt8(ascii: "="))
                }
            }
            return String(decoding: text, as: UTF8.self)
        }
    }

    /// Nil if the text is not base64.
    package static func decode(_ text: String) -> Bytes? {
        let source = Array(text.utf8)
        guard source.count % 4 == 0 else { return nil }
        let padding = source.suffix(2).count { $0 == UInt8(ascii: "=") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(source.count / 4 * 3)
        for start in stride(from: 0, to: source.count, by: 4) {
            let isLast = start + 4 == source.count
            var bits = 0
            for position in 0..<4 {
                let isPadding = isLast && position >= 4 - padding
                guard let value = isPadding ? 0 : alphabet.firstIndex(of: source[start + position]) else { return nil }
                bits = bits << 6 | value
            }
            let group = [UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255)]
            bytes += group.prefix(isLast ? 3 - padding : 3)
        }
        return Bytes(bytes)
    }
}
