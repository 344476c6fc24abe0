/// A pattern over channel names, by Redis's rules: `*` any bytes, `?` one, `[abc]` and `[a-z]` one of these, `[^a]` one of
/// the others, `\` takes the next as it is.
///
/// Matching takes time in proportion to the pattern times the name at worst, whatever the pattern.
package struct ChannelPattern: Sendable {
    private enum Token {
        case one(UInt8)
        case any
        case anyRun
        case among(ByteClass)
    }

    private struct ByteClass {
        var ranges: [ClosedRange<UInt8>] = []
        var isNegated = false

        func contains(_ byte: UInt8) -> Bool {
            ranges.contains { $0.contains(byte) } != isNegated
        }
    }

    private let tokens: [Token]

    package init(_ pattern: Bytes) {
        var tokens: [Token] = []
        var index = 0
        while index < pattern.count {
            let byte = pattern[index]
            index += 1
            switch byte {
            case UInt8(ascii: "*"):
                if case .anyRun? = tokens.last { continue }
                tokens.append(.anyRun)
            case UInt8(ascii: "?"): tokens.append(.any)
            case UInt8(ascii: "["): tokens.append(.among(Self.byteClass(pattern, &index)))
            case UInt8(ascii: "\\") where index < pattern.count:
                tokens.append(.one(pattern[index]))
                index += 1
            default: tokens.append(.one(byte))
            }
        }
        self.tokens = tokens
    }

    /// Whether a subscription to this name is one to a pattern: it holds `*`, `?`, `[` or `\`.
    package static func isPattern(_ channel: String) -> Bool {
        channel.utf8.contains { byte in
            byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "[") || byte == UInt8(ascii: "\\")
        }
    }

    package func matches(_ name: Bytes) -> Bool {
        name.withUnsafeBytes { bytes in
            var token = 0
            var index = 0
            // After a mismatch, the last `*` takes one byte more; earlier ones need not be tried again.
            var retry: (token: Int, index: Int)?
            while index < bytes.count {
                if token < tokens.count, case .anyRun = tokens[token] {
                    token += 1
                    retry = (token, index)
                } else if token < tokens.count, Self.matches(tokens[token], bytes[index]) {
                    token += 1
                    index += 1
                } else if let last = retry {
                    retry = (last.token, last.index + 1)
                    token = last.token
                    index = last.index + 1
                } else {
                    return false
                }
            }
            while token < tokens.count, case .anyRun = tokens[token] { token += 1 }
            return token == tokens.count
        }
    }

    private static func matches(_ token: Token, _ byte: UInt8) -> Bool {
        switch token {
        case .one(let wanted): byte == wanted
        case .any, .anyRun: true
        case .among(let bytes): bytes.contains(byte)
        }
    }

    /// What follows `[`, up to and with `]`; without one, up to the end, as in Redis.
    private static func byteClass(_ pattern: Bytes, _ index: inout Int) -> ByteClass {
        var result = ByteClass()
        if index < pattern.count, pattern[index] == UInt8(ascii: "^") {
            result.isNegated = true
            index += 1
        }
        while index < pattern.count, pattern[index] != UInt8(ascii: "]") {
            if pattern[index] == UInt8(ascii: "\\"), index + 1 < pattern.count {
                result.ranges.append(pattern[index + 1]...pattern[index + 1])
                index += 2
            } else if index + 2 < pattern.count, pattern[index + 1] == UInt8(ascii: "-") {
                let (first, last) = (pattern[index], pattern[index + 2])
                result.ranges.append(min(first, last)...max(first, last))
                index += 3
            } else {
                result.ranges.append(pattern[index]...pattern[index])
                index += 1
            }
        }
        index += 1
        return result
    }
}
