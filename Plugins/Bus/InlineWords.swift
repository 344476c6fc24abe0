import Martlet

/// The words of a request typed by hand: divided by spaces, `"…"` with `\n`, `\r`, `\t`, `\b`, `\a`, `\xHH` and `\` before
/// anything else, `'…'` with `\'` only.
enum InlineWords {
    /// Nil if a quote is not closed, or is followed by something else than a space.
    static func split(_ line: ArraySlice<UInt8>) -> [Bytes]? {
        var words: [Bytes] = []
        var rest = line
        while let first = rest.first {
            if isSpace(first) {
                rest.removeFirst()
                continue
            }
            guard let word = word(&rest) else { return nil }
            words.append(Bytes(word))
        }
        return words
    }

    private static func word(_ rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        var word: [UInt8] = []
        while let byte = rest.first, !isSpace(byte) {
            rest.removeFirst()
            guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") else {
                word.append(byte)
                continue
            }
            guard quoted(&rest, by: byte, into: &word), rest.first.map(isSpace) ?? true else { return nil }
        }
        return word
    }

    /// Reads up to and with the closing quote; false if there is none.
    private static func quoted(_ rest: inout ArraySlice<UInt8>, by quote: UInt8, into word: inout [UInt8]) -> Bool {
        while let byte = rest.popFirst() {
            if byte == quote { return true }
            guard byte == UInt8(ascii: "\\"), let next = rest.first else {
                word.append(byte)
                continue
            }
            if quote == UInt8(ascii: "'") {
                // Only the quote can be escaped.
                word.append(next == quote ? next : byte)
                if next == quote { rest.removeFirst() }
                continue
            }
            rest.removeFirst()
            word.append(escaped(next, &rest))
        }
        return false
    }

    private static func escaped(_ byte: UInt8, _ rest: inout ArraySlice<UInt8>) -> UInt8 {
        switch byte {
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "a"): return 0x07
        case UInt8(ascii: "x"):
            let digits = rest.prefix(2).compactMap { Character(UnicodeScalar($0)).hexDigitValue }
            guard digits.count == 2 else { return byte }
            rest.removeFirst(2)
            return UInt8(digits[0] << 4 | digits[1])
        default: return byte
        }
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte) || byte == 0
    }
}
