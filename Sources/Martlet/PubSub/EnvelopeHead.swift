/// The fields of an envelope's first line, read one after the other, and the bytes that their lengths divide.
struct EnvelopeHead {
    private let bytes: Bytes
    /// The next field's first byte, and the line feed.
    private var position: Int
    private let end: Int
    /// The next part's first byte.
    private var bodyPosition: Int

    /// Nil if there is no line end within the limit.
    init?(_ bytes: Bytes) {
        let limit = min(bytes.count, MessageDecoder.headBytesMax)
        let end = bytes.withUnsafeBytes { $0[..<limit].firstIndex(of: UInt8(ascii: "\n")) }
        guard let end else { return nil }
        self.bytes = bytes
        self.end = end
        position = MessageEncoder.magic.utf8CodeUnitCount
        bodyPosition = end + 1
    }

    /// Whether all fields have been read.
    var isAtEnd: Bool { position > end }

    /// Whether the lengths add up to the bytes.
    var isComplete: Bool { bodyPosition == bytes.count }

    mutating func nextWord() -> Range<Int> {
        let start = position
        guard start <= end else { return end..<end }
        bytes.withUnsafeBytes { raw in
            while position < end, raw[position] != UInt8(ascii: " ") { position += 1 }
        }
        defer { position += 1 }
        return start..<position
    }

    mutating func nextNumber() -> Int64? {
        number(nextWord())
    }

    /// A number, or an inner nil for `-`; nil for anything else.
    mutating func nextNumberOrNone() -> Int64?? {
        let word = nextWord()
        if word.count == 1, bytes[word.lowerBound] == UInt8(ascii: "-") { return .some(nil) }
        return number(word).map { .some($0) }
    }

    /// The next part of the body.
    mutating func nextPart() -> Bytes? {
        number(nextWord()).flatMap { part($0) }
    }

    /// The next part of the body, or an inner nil for `-`.
    mutating func nextPartOrNone() -> Bytes?? {
        guard let length = nextNumberOrNone() else { return nil }
        guard let length else { return .some(nil) }
        return part(length).map { .some($0) }
    }

    private mutating func part(_ length: Int64) -> Bytes? {
        guard length >= 0, length <= Int64(bytes.count - bodyPosition) else { return nil }
        let start = bodyPosition
        bodyPosition += Int(length)
        return bytes.slice(start..<bodyPosition)
    }

    /// Decimal digits after an optional minus.
    private func number(_ word: Range<Int>) -> Int64? {
        bytes.withUnsafeBytes { raw in
            let isNegative = !word.isEmpty && raw[word.lowerBound] == UInt8(ascii: "-")
            let digits = isNegative ? word.dropFirst() : word
            // 18 digits always fit.
            guard !digits.isEmpty, digits.count <= 18 else { return nil }
            var value: Int64 = 0
            for index in digits {
                let digit = raw[index] &- UInt8(ascii: "0")
                guard digit < 10 else { return nil }
                value = value * 10 + Int64(digit)
            }
            return isNegative ? -value : value
        }
    }
}

extension Bytes {
    func begins(with literal: StaticString) -> Bool {
        guard count >= literal.utf8CodeUnitCount else { return false }
        return withUnsafeBytes { raw in
            literal.withUTF8Buffer { raw.prefix($0.count).elementsEqual($0) }
        }
    }
}
