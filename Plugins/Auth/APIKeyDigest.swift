import CCrypto

/// The SHA-256 of a key. Keys are only ever compared by it, in constant time.
struct APIKeyDigest: Sendable {
    private let bytes: [UInt8]

    init(of key: String) {
        var bytes = [UInt8](repeating: 0, count: 32)
        let text = Array(key.utf8)
        ccrypto_sha256(text, text.count, &bytes)
        self.bytes = bytes
    }

    init?(hexadecimal text: String) {
        guard text.utf8.count == 64 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in text.utf8 {
            guard let value = Self.value(of: digit) else { return nil }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        self.bytes = bytes
    }

    func matches(_ other: APIKeyDigest) -> Bool {
        ccrypto_equal(bytes, other.bytes, 32) == 1
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
