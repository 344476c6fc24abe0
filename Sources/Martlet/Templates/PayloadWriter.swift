/// Writes JSON into memory that becomes a ``Bytes`` without another copy.
struct PayloadWriter: ~Copyable {
    private var storage: ByteStorage
    private var capacity: Int
    private var count = 0

    /// - Parameter capacity: the expected length; more is made room for.
    init(capacity: Int) {
        self.capacity = max(64, capacity)
        storage = .make(capacity: self.capacity)
    }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        reserve(bytes.count)
        (storage.memory + count).copyMemory(from: base, byteCount: bytes.count)
        count += bytes.count
    }

    mutating func append(_ byte: UInt8) {
        reserve(1)
        storage.memory.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count += 1
    }

    mutating func append(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { append($0) }
    }

    /// Appends text as the inside of a JSON string. The bytes must be UTF-8.
    mutating func appendEscaped(_ text: UnsafeRawBufferPointer) {
        var start = 0
        for index in 0..<text.count where Self.needsEscape(text[index]) {
            append(UnsafeRawBufferPointer(rebasing: text[start..<index]))
            appendEscape(text[index])
            start = index + 1
        }
        append(UnsafeRawBufferPointer(rebasing: text[start...]))
    }

    /// Appends text as the inside of a JSON string.
    mutating func appendEscaped(_ text: String) {
        var copy = text
        copy.withUTF8 { appendEscaped(UnsafeRawBufferPointer($0)) }
    }

    /// Appends bytes that may not be UTF-8 as the inside of a JSON string; what is not becomes U+FFFD.
    mutating func appendEscaped(_ bytes: Bytes) {
        let isASCII = bytes.withUnsafeBytes { text in text.allSatisfy { $0 < 0x80 } }
        if isASCII {
            bytes.withUnsafeBytes { appendEscaped($0) }
        } else {
            appendEscaped(bytes.string)
        }
    }

    /// What was written.
    consuming func finish() -> Bytes {
        Bytes(unsafeOwner: storage, start: UnsafeRawPointer(storage.memory), count: count)
    }

    private mutating func reserve(_ more: Int) {
        guard count + more > capacity else { return }
        capacity = max(capacity * 2, count + more)
        let grown = ByteStorage.make(capacity: capacity)
        grown.memory.copyMemory(from: storage.memory, byteCount: count)
        storage = grown
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func appendEscape(_ byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): append(byte)
        case 0x08: append(UInt8(ascii: "b"))
        case 0x09: append(UInt8(ascii: "t"))
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x0C: append(UInt8(ascii: "f"))
        case 0x0D: append(UInt8(ascii: "r"))
        default:
            append(UInt8(ascii: "u"))
            append(UInt8(ascii: "0"))
            append(UInt8(ascii: "0"))
            append(UInt8(ascii: "0") + byte >> 4)
            append(Self.hexDigit(byte & 15))
        }
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
