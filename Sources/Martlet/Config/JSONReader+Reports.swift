extension JSONReader {
    /// The letters, digits and signs ahead: what a person takes for one word.
    var wordAhead: String { wordAhead(from: index) }

    func wordAhead(from start: Int) -> String {
        let word = bytes[start...].prefix(40).prefix { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
                true
            default: false
            }
        }
        return String(decoding: word, as: UTF8.self)
    }

    /// What stands at the place of an error, ready to print.
    var ahead: String {
        guard let byte else { return "the end of the file" }
        if byte == 0x0A || byte == 0x0D { return "the end of the line" }
        if byte < 0x20 || byte == 0x7F { return "the control character 0x\(String(byte, radix: 16, uppercase: true))" }
        let word = wordAhead
        if !word.isEmpty { return "`\(word)`" }
        return scalarText(at: index).map { "`\($0)`" } ?? "the byte 0x\(String(byte, radix: 16, uppercase: true))"
    }

    /// What to do about the usual slips.
    var syntaxHint: String? {
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "#"):
            return "JSON has no comments; put the text in a \"description\" key"
        case UInt8(ascii: "'"):
            return "JSON strings and keys stand in double quotes"
        case UInt8(ascii: "}"), UInt8(ascii: "]"):
            return isAfterComma ? "JSON allows no comma after the last value" : nil
        default:
            break
        }
        switch wordAhead {
        case "True", "TRUE", "yes", "Yes", "on": return "write true"
        case "False", "FALSE", "no", "No", "off": return "write false"
        case "None", "nil", "undefined", "NULL", "Null": return "write null"
        case "NaN", "Infinity", "-Infinity": return "JSON has no such number"
        case let word where word.hasPrefix("+") || word.hasPrefix("."): return "a number begins with a digit or `-`"
        case let word where !word.isEmpty && byte.map { Character(Unicode.Scalar($0)).isLetter } == true:
            return "JSON strings and keys stand in double quotes"
        default: return nil
        }
    }

    private var isAfterComma: Bool {
        let before = bytes[..<index].last { $0 != 0x20 && $0 != 0x0A && $0 != 0x0D && $0 != 0x09 }
        return before == UInt8(ascii: ",")
    }
}
