/// Cuts a jq program into the tokens that matter for checking it: names, variables and brackets.
///
/// Strings are skipped, except for what is interpolated in them (`\(…)`); so are comments.
struct JQLexer {
    enum Token: Hashable {
        /// A function's name or a keyword.
        case name(String)
        /// `.field`.
        case field(String)
        /// `$variable`.
        case variable(String)
        /// Any other character.
        case symbol(UInt8)
    }

    struct Placed: Hashable {
        var token: Token
        /// In UTF-8 bytes.
        var offset: Int
    }

    private let bytes: [UInt8]
    private var index = 0
    private(set) var tokens: [Placed] = []

    static func tokens(of program: String) -> [Placed] {
        var lexer = JQLexer(bytes: Array(program.utf8))
        while lexer.index < lexer.bytes.count { lexer.step() }
        return lexer.tokens
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private mutating func step() {
        let start = index
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: "#"):
            while index < bytes.count, bytes[index] != UInt8(ascii: "\n") { index += 1 }
        case UInt8(ascii: "\""):
            skipString()
        case UInt8(ascii: "$") where isNameStart(at: index + 1):
            index += 1
            tokens.append(Placed(token: .variable(name()), offset: start))
        case UInt8(ascii: ".") where isNameStart(at: index + 1):
            index += 1
            tokens.append(Placed(token: .field(name()), offset: start))
        case UInt8(ascii: "@"):
            // A format such as `@base64` is no function.
            index += 1
            _ = name()
        case _ where isNameStart(at: index):
            tokens.append(Placed(token: .name(name()), offset: start))
        case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"):
            index += 1
        default:
            tokens.append(Placed(token: .symbol(byte), offset: start))
            index += 1
        }
    }

    /// Skips a string; the tokens of what is interpolated in it are kept.
    private mutating func skipString() {
        index += 1
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                index += 1
                return
            case UInt8(ascii: "\\") where index + 1 < bytes.count && bytes[index + 1] == UInt8(ascii: "("):
                index += 2
                skipInterpolation()
            case UInt8(ascii: "\\"):
                index += 2
            default:
                index += 1
            }
        }
    }

    private mutating func skipInterpolation() {
        var depth = 1
        while index < bytes.count, depth > 0 {
            switch bytes[index] {
            case UInt8(ascii: "("):
                depth += 1
                index += 1
            case UInt8(ascii: ")"):
                depth -= 1
                index += 1
            default:
                step()
            }
        }
    }

    private mutating func name() -> String {
        let start = index
        while index < bytes.count, isNameStart(at: index) || isDigit(at: index) { index += 1 }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private func isNameStart(at index: Int) -> Bool {
        guard index < bytes.count else { return false }
        switch bytes[index] {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): return true
        default: return false
        }
    }

    private func isDigit(at index: Int) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index])
    }
}
