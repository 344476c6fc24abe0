/// Cuts a string into literal text and `${…}` expressions, the one lexer for substitutions and templates.
///
/// The grammar of *template source*, which string nodes hold:
/// - `${body}` is an expression; it ends at the first `}` outside a nested `${…}`.
/// - A run of dollars before `{` stands for half as many dollars; if their number is odd, the last begins an
///   expression. So `$${` is a literal `${`, and `$$${/x}` is a dollar before the value of `/x`.
/// - A dollar anywhere else is itself: `$1` and `$$` stay as they are.
///
/// Text that came from the environment or a file is escaped by the same rule, so no later scan takes it for an expression.
public enum SubstitutionScanner {
    /// One part of a string.
    public enum Piece: Hashable, Sendable {
        /// Text to be taken as it is, its escapes resolved.
        case literal(String)
        /// The text between `${` and `}`.
        case expression(String)
        /// The text after a `${` that has no `}`.
        case unterminated(String)
    }

    /// A piece and the UTF-8 offset in the source where it begins; that of an expression is its `$`.
    public struct Placed: Hashable, Sendable {
        /// The piece.
        public var piece: Piece
        /// Where it begins.
        public var offset: Int
    }

    /// All pieces of a source in order; neighbouring literals are one piece.
    public static func scan(_ source: String) -> [Placed] {
        let bytes = Array(source.utf8)
        var pieces: [Placed] = []
        var literal: [UInt8] = []
        var literalStart = 0
        var index = 0
        func flush() {
            if !literal.isEmpty {
                pieces.append(Placed(piece: .literal(String(decoding: literal, as: UTF8.self)), offset: literalStart))
            }
            literal.removeAll()
        }
        while index < bytes.count {
            guard bytes[index] == dollar else {
                literal.append(bytes[index])
                index += 1
                continue
            }
            var end = index
            while end < bytes.count, bytes[end] == dollar { end += 1 }
            let count = end - index
            guard end < bytes.count, bytes[end] == openBrace else {
                literal += bytes[index..<end]
                index = end
                continue
            }
            literal += repeatElement(dollar, count: count / 2)
            if count.isMultiple(of: 2) {
                literal.append(openBrace)
                index = end + 1
                continue
            }
            flush()
            let start = end + 1
            let close = closingBrace(in: bytes, from: start)
            let body = String(decoding: bytes[start..<(close ?? bytes.count)], as: UTF8.self)
            pieces.append(Placed(piece: close == nil ? .unterminated(body) : .expression(body), offset: end - 1))
            index = close.map { $0 + 1 } ?? bytes.count
            literalStart = index
        }
        flush()
        return pieces
    }

    /// The source with its escapes resolved; an expression is left as it is written.
    public static func plain(_ source: String) -> String {
        guard source.utf8.contains(dollar) else { return source }
        return scan(source).reduce(into: "") { text, placed in
            switch placed.piece {
            case .literal(let literal): text += literal
            case .expression(let body): text += "${\(body)}"
            case .unterminated(let body): text += "${\(body)"
            }
        }
    }

    /// Where a place of the plain text stands in the source; offsets in UTF-8 bytes.
    static func sourceOffset(ofPlain offset: Int, in source: String) -> Int {
        let bytes = Array(source.utf8)
        var plain = 0
        var index = 0
        while index < bytes.count, plain < offset {
            let start = index
            while index < bytes.count, bytes[index] == dollar { index += 1 }
            let count = index - start
            guard count > 0 else {
                index += 1
                plain += 1
                continue
            }
            let isEscape = index < bytes.count && bytes[index] == openBrace
            let length = isEscape ? (count + 1) / 2 : count
            if plain + length > offset { return isEscape ? start : start + offset - plain }
            plain += length
        }
        return index
    }

    /// Text as source that stands for exactly that text.
    public static func escape(_ text: String) -> String {
        var leadsToBrace = false
        return escape(text, leadsToBrace: &leadsToBrace)
    }

    /// Escapes one of several literals that will be joined, the last one first.
    ///
    /// - Parameter leadsToBrace: whether what follows the text is `{`, or dollars and then `{`; updated for the text before.
    static func escape(_ text: String, leadsToBrace: inout Bool) -> String {
        var reversed: [UInt8] = []
        for byte in text.utf8.reversed() {
            reversed.append(byte)
            switch byte {
            case openBrace: leadsToBrace = true
            case dollar: if leadsToBrace { reversed.append(dollar) }
            default: leadsToBrace = false
            }
        }
        return String(decoding: reversed.reversed(), as: UTF8.self)
    }

    private static let dollar = UInt8(ascii: "$")
    private static let openBrace = UInt8(ascii: "{")

    private static func closingBrace(in bytes: [UInt8], from start: Int) -> Int? {
        var depth = 0
        var index = start
        while index < bytes.count {
            switch bytes[index] {
            case openBrace where bytes[index - 1] == dollar && index > start:
                depth += 1
            case UInt8(ascii: "}"):
                if depth == 0 { return index }
                depth -= 1
            default:
                break
            }
            index += 1
        }
        return nil
    }
}

extension SubstitutionScanner {
    /// Whether a byte may stand in an environment variable's name.
    static func isVariable(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
}
