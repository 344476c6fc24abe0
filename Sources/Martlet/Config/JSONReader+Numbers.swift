extension JSONReader {
    mutating func number() throws(Stop) -> JSONNumber {
        let start = index
        if byte == UInt8(ascii: "-") { index += 1 }
        if byte == UInt8(ascii: "0") {
            index += 1
            if isDigit { throw stop("expected no leading zero in a number", at: start, found: "`\(wordAhead(from: start))`") }
        } else {
            try digits(expected: "a digit after `-`")
        }
        if byte == UInt8(ascii: ".") {
            index += 1
            try digits(expected: "a digit after the decimal point")
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            index += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { index += 1 }
            try digits(expected: "a digit in the exponent")
        }
        return JSONNumber(validated: String(decoding: bytes[start..<index], as: UTF8.self))
    }

    private var isDigit: Bool {
        if let byte { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) } else { false }
    }

    private mutating func digits(expected: String) throws(Stop) {
        guard isDigit else { throw stop("expected \(expected)") }
        while isDigit { index += 1 }
    }
}
