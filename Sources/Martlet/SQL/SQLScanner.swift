/// Splits SQL into the tokens that matter here: words, parameters, semicolons. Strings, quoted identifiers and comments
/// are passed over as a backend does, so that nothing inside them is taken for a parameter.
struct SQLScanner {
    /// A piece of the text.
    struct Token {
        enum Kind {
            case word, parameter, semicolon, other
        }

        let kind: Kind
        /// In UTF-8 bytes.
        let range: Range<Int>
    }

    let bytes: [UInt8]
    private let dialect: SQLDialect
    private var index = 0
    private var bracketDepth = 0

    init(_ sql: String, dialect: SQLDialect) {
        bytes = Array(sql.utf8)
        self.dialect = dialect
    }

    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// The first few characters of a token's place, for a message.
    func excerpt(_ token: Token) -> String {
        "`\(String(text(token.range.lowerBound..<bytes.count).prefix(24)))`"
    }

    /// The next token; nil at the end.
    mutating func next() throws(SQLProblem) -> Token? {
        try skipSpaceAndComments()
        guard index < bytes.count else { return nil }
        let start = index
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: ";"):
            index += 1
            return Token(kind: .semicolon, range: start..<index)
        case UInt8(ascii: "'"):
            try skipQuoted(UInt8(ascii: "'"), from: start, hasBackslashes: false, "string")
        case UInt8(ascii: "\""):
            try skipQuoted(byte, from: start, hasBackslashes: false, "quoted identifier")
        case UInt8(ascii: "`") where dialect.quotesWithBracketsAndBackticks:
            try skipQuoted(byte, from: start, hasBackslashes: false, "quoted identifier")
        case UInt8(ascii: "["):
            try openBracket()
        case UInt8(ascii: "]"):
            bracketDepth = max(0, bracketDepth - 1)
            index += 1
        case UInt8(ascii: ":"):
            return try colon()
        case UInt8(ascii: "$") where dialect.hasPostgreSQLStrings:
            try dollar()
        case UInt8(ascii: "?"), UInt8(ascii: "@"), UInt8(ascii: "$"), UInt8(ascii: "#"):
            try refuseForeignParameter()
            index += 1
        default:
            return try wordOrOther()
        }
        return Token(kind: .other, range: start..<index)
    }

    private mutating func wordOrOther() throws(SQLProblem) -> Token {
        let start = index
        guard Self.isWordStart(bytes[index]) else {
            // Digits and their word characters go together, so that `1e5` is no word.
            index += 1
            if Self.isDigit(bytes[start]) { skipWord() }
            return Token(kind: .other, range: start..<index)
        }
        skipWord()
        if dialect.hasPostgreSQLStrings, index - start == 1, bytes[start] | 0x20 == UInt8(ascii: "e"), peek(0) == UInt8(ascii: "'") {
            try skipQuoted(UInt8(ascii: "'"), from: start, hasBackslashes: true, "string")
            return Token(kind: .other, range: start..<index)
        }
        return Token(kind: .word, range: start..<index)
    }

    /// `:name`, `::type`, `:=`, or the middle of an array slice such as `[1:n]`.
    private mutating func colon() throws(SQLProblem) -> Token {
        let start = index
        index += 1
        if peek(0) == UInt8(ascii: ":") || peek(0) == UInt8(ascii: "=") {
            index += 1
            return Token(kind: .other, range: start..<index)
        }
        let isSlice = bracketDepth > 0 && start > 0 && Self.isWordPart(bytes[start - 1])
        guard !isSlice, let byte = peek(0), Self.isWordPart(byte) else {
            return Token(kind: .other, range: start..<index)
        }
        guard Self.isWordStart(byte), byte < 0x80 else {
            throw SQLProblem("a parameter is written `:name`, with a name that begins with a letter or `_`", at: start)
        }
        while let byte = peek(0), byte < 0x80, byte != UInt8(ascii: "$"), Self.isWordPart(byte) { index += 1 }
        return Token(kind: .parameter, range: start..<index)
    }

    private func refuseForeignParameter() throws(SQLProblem) {
        guard dialect.quotesWithBracketsAndBackticks else { return }
        let isPlaceholder = bytes[index] == UInt8(ascii: "?") || peek(1).map(Self.isWordPart) == true
        if isPlaceholder { throw SQLProblem("parameters are written `:name`, not \(quotedPlaceholder)", at: index) }
    }

    private var quotedPlaceholder: String {
        var end = index + 1
        while end < bytes.count, Self.isWordPart(bytes[end]) { end += 1 }
        return "`\(text(index..<end))`"
    }

    /// PostgreSQL's `$tag$ … $tag$`; `$1` is refused.
    private mutating func dollar() throws(SQLProblem) {
        let start = index
        if let byte = peek(1), Self.isDigit(byte) {
            throw SQLProblem("parameters are written `:name`, not \(quotedPlaceholder)", at: index)
        }
        var end = start + 1
        while end < bytes.count, bytes[end] != UInt8(ascii: "$"), Self.isWordPart(bytes[end]) { end += 1 }
        guard end < bytes.count, bytes[end] == UInt8(ascii: "$") else {
            index += 1
            return
        }
        let tag = bytes[start...end]
        index = end + 1
        while index + tag.count <= bytes.count {
            if bytes[index..<index + tag.count].elementsEqual(tag) {
                index += tag.count
                return
            }
            index += 1
        }
        throw SQLProblem("the string that begins with `\(text(start..<end + 1))` does not end", at: start)
    }

    private mutating func openBracket() throws(SQLProblem) {
        guard dialect.quotesWithBracketsAndBackticks else {
            bracketDepth += 1
            index += 1
            return
        }
        let start = index
        guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "]")) else {
            throw SQLProblem("the quoted identifier that begins with \(excerpt(Token(kind: .other, range: start..<start))) does not end", at: start)
        }
        index = end + 1
    }

    /// From an opening quote to its end; a doubled quote stands for one.
    private mutating func skipQuoted(
        _ quote: UInt8, from start: Int, hasBackslashes: Bool, _ what: String
    ) throws(SQLProblem) {
        index += 1
        while index < bytes.count {
            let byte = bytes[index]
            if hasBackslashes, byte == UInt8(ascii: "\\") {
                index += 2
            } else if byte != quote {
                index += 1
            } else if peek(1) == quote {
                index += 2
            } else {
                index += 1
                return
            }
        }
        index = bytes.count
        throw SQLProblem("the \(what) that begins with \(excerpt(Token(kind: .other, range: start..<start))) does not end", at: start)
    }

    private mutating func skipSpaceAndComments() throws(SQLProblem) {
        while let byte = peek(0) {
            if byte == UInt8(ascii: " ") || (9...13).contains(byte) {
                index += 1
            } else if byte == UInt8(ascii: "-"), peek(1) == byte {
                index = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            } else if byte == UInt8(ascii: "/"), peek(1) == UInt8(ascii: "*") {
                try skipBlockComment()
            } else {
                return
            }
        }
    }

    private mutating func skipBlockComment() throws(SQLProblem) {
        let start = index
        var depth = 1
        index += 2
        while depth > 0 {
            guard index + 1 < bytes.count else {
                throw SQLProblem("the comment that begins with /* does not end with */", at: start)
            }
            if bytes[index] == UInt8(ascii: "*"), bytes[index + 1] == UInt8(ascii: "/") {
                depth -= 1
                index += 2
            } else if dialect.hasPostgreSQLStrings, bytes[index] == UInt8(ascii: "/"), bytes[index + 1] == UInt8(ascii: "*") {
                depth += 1
                index += 2
            } else {
                index += 1
            }
        }
    }

    private mutating func skipWord() {
        while let byte = peek(0), Self.isWordPart(byte) { index += 1 }
    }

    private func peek(_ distance: Int) -> UInt8? {
        index + distance < bytes.count ? bytes[index + distance] : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private static func isWordStart(_ byte: UInt8) -> Bool {
        byte >= 0x80 || byte == UInt8(ascii: "_") || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static func isWordPart(_ byte: UInt8) -> Bool {
        isWordStart(byte) || isDigit(byte) || byte == UInt8(ascii: "$")
    }
}
