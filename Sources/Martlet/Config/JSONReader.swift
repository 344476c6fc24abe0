/// Reads JSON text strictly by RFC 8259 into nodes that know their positions.
///
/// A syntax error ends the reading, with its line and column, what was expected and what was found. Duplicate keys
/// are all reported; reading goes on and the first value stays. Depth and size are limited.
public struct JSONReader {
    /// What is refused.
    public struct Limits: Sendable {
        /// Bytes of the whole text.
        public var bytes = 4 << 20
        /// Objects and lists inside each other.
        public var depth = 64

        /// The defaults.
        public init() {}
    }

    /// Ends the reading after the problem was reported.
    struct Stop: Error {}

    let bytes: [UInt8]
    var index = 0
    private let limits: Limits
    private let problems: ConfigProblems
    private let option: String?
    private var path = ConfigPath.root
    private var depth = 0
    private var line = 1
    private var lineStart = 0
    /// The last place whose column was counted, so that a long line is counted once.
    private var counted = (index: 0, column: 1)

    private init(_ bytes: [UInt8], limits: Limits, problems: ConfigProblems, option: String?) {
        self.bytes = bytes
        self.limits = limits
        self.problems = problems
        self.option = option
    }

    /// - Returns: the value, or nil if the text is not JSON or is past a limit, which `problems` then says.
    public static func read(_ bytes: [UInt8], limits: Limits = Limits(), problems: ConfigProblems) -> JSONNode? {
        read(bytes, limits: limits, problems: problems, option: nil)
    }

    /// Reads a text; see ``read(_:limits:problems:)-([UInt8],_,_)``.
    public static func read(_ text: String, limits: Limits = Limits(), problems: ConfigProblems) -> JSONNode? {
        read(Array(text.utf8), limits: limits, problems: problems, option: nil)
    }

    /// - Parameter option: the command-line option that the text belongs to.
    static func read(_ bytes: [UInt8], limits: Limits, problems: ConfigProblems, option: String?) -> JSONNode? {
        guard bytes.count <= limits.bytes else {
            problems.report(
                .tooLarge, at: ConfigPlace(path: .root, position: .none),
                "is larger than the limit of \(limits.bytes) bytes", found: "\(bytes.count) bytes")
            return nil
        }
        var reader = JSONReader(bytes, limits: limits, problems: problems, option: option)
        return try? reader.document()
    }

    private mutating func document() throws(Stop) -> JSONNode {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            throw stop("expected JSON", found: "a byte order mark", hint: "save the file as UTF-8 without a byte order mark")
        }
        skipSpace()
        let node = try value(expected: "a JSON value")
        skipSpace()
        if index < bytes.count { throw stop("expected the end of the file after the value") }
        return node
    }

    private mutating func value(expected: String) throws(Stop) -> JSONNode {
        let position = position(at: index)
        switch byte {
        case UInt8(ascii: "{"):
            return JSONNode(.object(try nested { reader throws(Stop) in try reader.object() }), position: position)
        case UInt8(ascii: "["):
            return JSONNode(.array(try nested { reader throws(Stop) in try reader.array() }), position: position)
        case UInt8(ascii: "\""):
            let (text, marks) = try string()
            var node = JSONNode(.string(text), position: position)
            node.origin.marks = marks
            return node
        case UInt8(ascii: "-")?, (UInt8(ascii: "0")...UInt8(ascii: "9"))?:
            return JSONNode(.number(try number()), position: position)
        default:
            for (word, kind) in [("true", JSONNode.Kind.bool(true)), ("false", .bool(false)), ("null", .null)]
            where wordAhead == word {
                index += word.utf8.count
                return JSONNode(kind, position: position)
            }
            throw stop("expected \(expected)")
        }
    }

    private mutating func nested<Value>(_ read: (inout JSONReader) throws(Stop) -> Value) throws(Stop) -> Value {
        guard depth < limits.depth else {
            problems.report(
                .tooLarge, at: ConfigPlace(path: path, position: position(at: index)),
                "is nested deeper than the limit of \(limits.depth) levels")
            throw Stop()
        }
        depth += 1
        defer { depth -= 1 }
        return try read(&self)
    }

    private mutating func array() throws(Stop) -> [JSONNode] {
        var items: [JSONNode] = []
        index += 1
        skipSpace()
        if skip("]") { return items }
        while true {
            path.components.append(.index(items.count))
            items.append(try value(expected: items.isEmpty ? "a value or `]`" : "a value after the comma"))
            path.components.removeLast()
            skipSpace()
            if skip("]") { return items }
            guard skip(",") else { throw stop("expected `,` or `]` after this list's value") }
            skipSpace()
        }
    }

    private mutating func object() throws(Stop) -> JSONObject {
        var object = JSONObject()
        var firstPositions: [String: SourcePosition] = [:]
        index += 1
        skipSpace()
        if skip("}") { return object }
        while true {
            guard byte == UInt8(ascii: "\"") else {
                let alternative = object.members.isEmpty ? "or `}`" : "after the comma"
                throw stop("expected a key in double quotes \(alternative)")
            }
            let keyPosition = position(at: index)
            let key = try string().text
            path.components.append(.key(key))
            skipSpace()
            guard skip(":") else { throw stop("expected `:` after the key \(JSONWriter.quoted(clipped(key)))") }
            skipSpace()
            let value = try value(expected: "a value after `:`")
            if let first = firstPositions[key] {
                problems.report(
                    .duplicateKey, at: ConfigPlace(path: path, position: keyPosition),
                    "duplicate key `\(clipped(key))`", hint: "it is first at line \(first.line), column \(first.column)")
            } else {
                firstPositions[key] = keyPosition
                object.members.append(JSONObject.Member(key: key, keyPosition: keyPosition, value: value))
            }
            path.components.removeLast()
            skipSpace()
            if skip("}") { return object }
            guard skip(",") else { throw stop("expected `,` or `}` after this value") }
            skipSpace()
        }
    }

    // MARK: Places

    /// The byte ahead, or nil at the end.
    var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

    func byte(after count: Int) -> UInt8? {
        index + count < bytes.count ? bytes[index + count] : nil
    }

    mutating func position(at place: Int) -> SourcePosition {
        if place < counted.index { counted = (lineStart, 1) }
        let scalars = bytes[counted.index..<place].reduce(0) { $1 & 0xC0 == 0x80 ? $0 : $0 + 1 }
        counted = (place, counted.column + scalars)
        return SourcePosition(line: line, column: counted.column, option: option)
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard byte == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte {
            switch byte {
            case 0x0A:
                line += 1
                lineStart = index + 1
                counted = (lineStart, 1)
            case 0x20, 0x09, 0x0D:
                break
            default:
                return
            }
            index += 1
        }
    }

    /// Reports a syntax error at a place (default: the byte ahead), and is thrown to end the reading.
    mutating func stop(_ expected: String, at place: Int? = nil, found: String? = nil, hint: String? = nil) -> Stop {
        let position = position(at: place ?? index)
        let isExplained = found != nil || hint != nil
        problems.report(
            .syntax, at: ConfigPlace(path: path, position: position), expected, found: found ?? ahead,
            hint: isExplained ? hint : syntaxHint)
        return Stop()
    }
}
