extension JSONReader {
    /// Reads a string from its opening quote to past its closing one.
    ///
    /// - Returns: its text, and the places where the text and the file stop running side by side.
    mutating func string() throws(Stop) -> (text: String, marks: [JSONNode.TextOrigin.Mark]) {
        let start = index
        var text: [UInt8] = []
        var marks: [JSONNode.TextOrigin.Mark] = []
        index += 1
        while let byte {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return (String(decoding: text, as: UTF8.self), marks)
            case UInt8(ascii: "\\"):
                try escape(into: &text)
                marks.append(JSONNode.TextOrigin.Mark(offset: text.count, column: position(at: index).column))
            case 0..<0x20:
                throw controlCharacter(byte)
            case 0x80...:
                text += try utf8Sequence()
            default:
                text.append(byte)
                index += 1
            }
        }
        throw stop("expected `\"` at the end of this string", at: start, found: "the end of the file")
    }

    private mutating func controlCharacter(_ byte: UInt8) -> Stop {
        if byte == 0x0A || byte == 0x0D {
            return stop(
                "expected `\"` before the end of the line", hint: "write a line break inside a string as \\n")
        }
        let digits = (byte < 16 ? "0" : "") + String(byte, radix: 16)
        return stop("expected a character allowed in a string", hint: "write it as \\u00\(digits)")
    }

    private mutating func escape(into text: inout [UInt8]) throws(Stop) {
        switch byte(after: 1) {
        case UInt8(ascii: "\"")?: text.append(UInt8(ascii: "\""))
        case UInt8(ascii: "\\")?: text.append(UInt8(ascii: "\\"))
        case UInt8(ascii: "/")?: text.append(UInt8(ascii: "/"))
        case UInt8(ascii: "b")?: text.append(0x08)
        case UInt8(ascii: "f")?: text.append(0x0C)
        case UInt8(ascii: "n")?: text.append(0x0A)
        case UInt8(ascii: "r")?: text.append(0x0D)
        case UInt8(ascii: "t")?: text.append(0x09)
        case UInt8(ascii: "u")?:
            let scalar = try unicodeEscape()
            text += String(Character(scalar)).utf8
            return
        default:
            throw stop(
                "expected an escape", found: "`\\\(scalarText(at: index + 1) ?? "")`",
                hint: "the escapes are \\\" \\\\ \\/ \\b \\f \\n \\r \\t \\uXXXX; a backslash itself is \\\\")
        }
        index += 2
    }

    private mutating func unicodeEscape() throws(Stop) -> Unicode.Scalar {
        let start = index
        let unit = try hexDigits()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        if unit < 0xDC00, byte == UInt8(ascii: "\\"), byte(after: 1) == UInt8(ascii: "u") {
            let low = try hexDigits()
            if (0xDC00...0xDFFF).contains(low),
                let scalar = Unicode.Scalar(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00))
            {
                return scalar
            }
        }
        throw stop(
            "expected a pair of surrogates", at: start, found: "half of one",
            hint: "a character past U+FFFF is two escapes, such as \\ud83d\\udc26")
    }

    /// Reads `\uXXXX`.
    private mutating func hexDigits() throws(Stop) -> UInt32 {
        var value: UInt32 = 0
        for offset in 2..<6 {
            guard let digit = byte(after: offset).flatMap({ Character(Unicode.Scalar($0)).hexDigitValue }) else {
                let found = scalarText(at: index + offset).map { "`\($0)`" } ?? "the end of the file"
                throw stop("expected four hexadecimal digits after `\\u`", found: found)
            }
            value = value << 4 | UInt32(digit)
        }
        index += 6
        return value
    }

    /// Reads one character of two to four bytes.
    private mutating func utf8Sequence() throws(Stop) -> ArraySlice<UInt8> {
        guard let length = utf8Length(at: index) else {
            throw stop(
                "expected UTF-8", found: "the byte 0x\(String(bytes[index], radix: 16, uppercase: true))",
                hint: "save the file as UTF-8")
        }
        defer { index += length }
        return bytes[index..<(index + length)]
    }

    /// The length of the valid character at a place, or nil if the bytes are not UTF-8.
    private func utf8Length(at place: Int) -> Int? {
        let length: Int
        switch bytes[place] {
        case 0..<0x80: length = 1
        case 0xC2...0xDF: length = 2
        case 0xE0...0xEF: length = 3
        case 0xF0...0xF4: length = 4
        default: return nil
        }
        guard place + length <= bytes.count,
            String(validating: bytes[place..<(place + length)], as: UTF8.self) != nil
        else { return nil }
        return length
    }

    /// The character at a place, nil at the end of the text or for bytes that are not UTF-8.
    func scalarText(at place: Int) -> String? {
        guard place < bytes.count, let length = utf8Length(at: place) else { return nil }
        return String(decoding: bytes[place..<(place + length)], as: UTF8.self)
    }
}
