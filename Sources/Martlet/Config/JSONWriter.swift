/// Writes a node as JSON text, members in their order, numbers as they were written.
public struct JSONWriter {
    /// How the text is laid out.
    public enum Layout: Sendable {
        /// No white space.
        case compact
        /// Two spaces a level, a member a line; lists of scalars on one line if they are short.
        case pretty
    }

    /// Lists of scalars up to this many bytes stay on one line.
    private static let shortList = 100

    private var bytes: [UInt8] = []
    private let layout: Layout

    private init(layout: Layout) {
        self.layout = layout
    }

    /// A value as JSON in UTF-8.
    public static func bytes(_ node: JSONNode, layout: Layout = .compact) -> [UInt8] {
        var writer = JSONWriter(layout: layout)
        writer.write(node, depth: 0)
        return writer.bytes
    }

    /// A value as JSON.
    public static func text(_ node: JSONNode, layout: Layout = .compact) -> String {
        String(decoding: bytes(node, layout: layout), as: UTF8.self)
    }

    /// A text as a JSON string, quotes included.
    public static func quoted(_ text: String) -> String {
        var writer = JSONWriter(layout: .compact)
        writer.write(text)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private mutating func write(_ node: JSONNode, depth: Int) {
        switch node.kind {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .number(let number): bytes += number.text.utf8
        case .string(let text): write(text)
        case .array(let items): write(items, depth: depth)
        case .object(let object): write(object, depth: depth)
        }
    }

    private mutating func write(_ items: [JSONNode], depth: Int) {
        if layout == .pretty, !items.isEmpty, !isShort(items) {
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                newLine(after: index > 0, depth: depth + 1)
                write(item, depth: depth + 1)
            }
            newLine(after: false, depth: depth)
        } else {
            bytes.append(UInt8(ascii: "["))
            for (index, item) in items.enumerated() {
                if index > 0 { bytes += (layout == .pretty ? ", " : ",").utf8 }
                write(item, depth: depth)
            }
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func write(_ object: JSONObject, depth: Int) {
        bytes.append(UInt8(ascii: "{"))
        for (index, member) in object.members.enumerated() {
            newLine(after: index > 0, depth: depth + 1)
            write(member.key)
            bytes += (layout == .pretty ? ": " : ":").utf8
            write(member.value, depth: depth + 1)
        }
        if !object.members.isEmpty { newLine(after: false, depth: depth) }
        bytes.append(UInt8(ascii: "}"))
    }

    private mutating func write(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): bytes += "\\\"".utf8
            case UInt8(ascii: "\\"): bytes += "\\\\".utf8
            case 0x0A: bytes += "\\n".utf8
            case 0x0D: bytes += "\\r".utf8
            case 0x09: bytes += "\\t".utf8
            case 0..<0x20, 0x7F:
                let digits = String(byte, radix: 16)
                bytes += "\\u00".utf8
                if digits.utf8.count == 1 { bytes.append(UInt8(ascii: "0")) }
                bytes += digits.utf8
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func newLine(after isFollowing: Bool, depth: Int) {
        if isFollowing { bytes.append(UInt8(ascii: ",")) }
        guard layout == .pretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes += repeatElement(UInt8(ascii: " "), count: depth * 2)
    }

    private func isShort(_ items: [JSONNode]) -> Bool {
        var length = 0
        for item in items {
            switch item.kind {
            case .null, .bool: length += 6
            case .number(let number): length += number.text.utf8.count + 2
            case .string(let text): length += text.utf8.count + 4
            case .array, .object: return false
            }
        }
        return length <= JSONWriter.shortList
    }
}
