/// Percent escapes of targets (RFC 3986 section 2.1).
enum PercentEncoding {
    /// Whether decoding would change nothing.
    static func isPlain(_ bytes: UnsafeBufferPointer<UInt8>, plusIsSpace: Bool) -> Bool {
        for byte in bytes where byte == UInt8(ascii: "%") || (plusIsSpace && byte == UInt8(ascii: "+")) { return false }
        return true
    }

    /// The decoded text. The escapes must have passed `check`.
    static func decode(_ bytes: UnsafeBufferPointer<UInt8>, plusIsSpace: Bool) -> String {
        if isPlain(bytes, plusIsSpace: plusIsSpace) { return String(decoding: bytes, as: UTF8.self) }
        return String(decoding: decodedBytes(bytes, plusIsSpace: plusIsSpace), as: UTF8.self)
    }

    static func decodedBytes(_ bytes: UnsafeBufferPointer<UInt8>, plusIsSpace: Bool) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "%"), let value = escape(bytes, at: position) {
                decoded.append(value)
                position += 3
            } else {
                decoded.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                position += 1
            }
        }
        return decoded
    }

    /// Refuses a `%` without two hexadecimal digits, an encoded NUL, and escapes that do not decode to UTF-8.
    static func check(_ bytes: UnsafeBufferPointer<UInt8>) throws(RequestError) {
        var position = 0
        while position < bytes.count {
            guard bytes[position] == UInt8(ascii: "%") else {
                position += 1
                continue
            }
            guard let value = escape(bytes, at: position) else {
                throw .badRequest("malformed percent escape in the target; expected % and two hexadecimal digits")
            }
            guard value != 0 else { throw .badRequest("the target holds an encoded NUL (%00)") }
            position += 3
        }
        let decoded = decodedBytes(bytes, plusIsSpace: false)
        guard String(validating: decoded, as: UTF8.self) != nil else {
            throw .badRequest("the target's percent escapes do not decode to UTF-8")
        }
    }

    private static func escape(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> UInt8? {
        guard position + 2 < bytes.count,
            let high = hexValue(bytes[position + 1]),
            let low = hexValue(bytes[position + 2])
        else { return nil }
        return high << 4 | low
    }
}
