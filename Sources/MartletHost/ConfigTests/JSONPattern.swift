import Martlet

/// Compares JSON that was found with JSON that is expected. Objects may have more members than expected unless the
/// comparison is exact; lists and values must be equal. An expected string can also be a pattern: `${any}`, `${absent}`,
/// `${string}`, `${number}`, `${integer}`, `${boolean}`, `${uuid}`, `${timestamp}` (milliseconds since 2001 or later, or RFC
/// 3339), `${matches:REGEX}` (all of a string).
struct JSONPattern {
    /// Where two values differ.
    struct Difference: Equatable {
        /// A JSON Pointer; empty for the whole.
        let pointer: String
        let expected: String
        let found: String

        var text: String { "\(pointer.isEmpty ? "it" : pointer): expected \(expected), found \(found)" }
    }

    static let names = ["any", "absent", "string", "number", "integer", "boolean", "uuid", "timestamp", "matches:REGEX"]

    let expected: JSONNode
    let isExact: Bool

    /// Every place where `found` is not as expected; nothing if it matches.
    func differences(from found: JSONNode) -> [Difference] {
        var differences: [Difference] = []
        compare(expected, found, "", &differences)
        return differences
    }

    /// Why a string that looks like a pattern is none; nil if the pattern, or what is no pattern, is good.
    static func problem(_ text: String) -> String? {
        guard let body = body(of: text) else { return nil }
        if body.hasPrefix("matches:") {
            return (try? Regex(String(body.dropFirst(8)))) == nil ? "`\(body.dropFirst(8))` is no regular expression" : nil
        }
        return names.contains(body) && body != "matches:REGEX" ? nil : "unknown pattern `\(text)`"
    }

    private static func body(of text: String) -> String? {
        text.hasPrefix("${") && text.hasSuffix("}") ? String(text.dropFirst(2).dropLast()) : nil
    }

    private func compare(_ expected: JSONNode, _ found: JSONNode?, _ pointer: String, _ differences: inout [Difference]) {
        func differ() {
            differences.append(Difference(pointer: pointer, expected: Self.shown(expected), found: found.map(Self.shown) ?? "nothing"))
        }
        if case .string(let text) = expected.kind, let body = Self.body(of: text) {
            if !Self.matches(found, body) { differ() }
            return
        }
        guard let found else { return differ() }
        switch (expected.kind, found.kind) {
        case (.null, .null): break
        case (.bool(let left), .bool(let right)) where left == right: break
        case (.number(let left), .number(let right)) where left.int64 == right.int64 && left.double == right.double: break
        case (.string, .string) where expected.plainText == found.rawText: break
        case (.array(let left), .array(let right)) where left.count == right.count:
            for (index, pair) in zip(left, right).enumerated() { compare(pair.0, pair.1, "\(pointer)/\(index)", &differences) }
        case (.object(let left), .object(let right)): compare(left, right, pointer, &differences)
        default: differ()
        }
    }

    private func compare(_ expected: JSONObject, _ found: JSONObject, _ pointer: String, _ differences: inout [Difference]) {
        for member in expected.members { compare(member.value, found[member.key], "\(pointer)/\(Self.escaped(member.key))", &differences) }
        guard isExact else { return }
        for member in found.members where expected.member(member.key) == nil {
            differences.append(
                Difference(pointer: "\(pointer)/\(Self.escaped(member.key))", expected: "nothing", found: Self.shown(member.value)))
        }
    }

    private static func escaped(_ key: String) -> String {
        key.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
            .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
    }

    private static func shown(_ node: JSONNode) -> String {
        let text = JSONWriter.text(node)
        return text.count > 200 ? text.prefix(200) + "…" : text
    }

    private static func matches(_ found: JSONNode?, _ body: String) -> Bool {
        guard let found else { return body == "absent" }
        switch (body, found.kind) {
        case ("any", _), ("string", .string), ("number", .number), ("boolean", .bool): return true
        case ("integer", .number(let number)): return number.int64 != nil
        case ("uuid", .string(let text)): return isUUID(text)
        case ("timestamp", .number(let number)): return (number.int64 ?? 0) > 978_307_200_000
        case ("timestamp", .string(let text)): return TimeText.parse(text) != nil
        case (_, .string(let text)) where body.hasPrefix("matches:"):
            guard let regex = try? Regex(String(body.dropFirst(8))) else { return false }
            return (try? regex.wholeMatch(in: text)) != nil
        default: return false
        }
    }

    private static func isUUID(_ text: String) -> Bool {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        return parts.map(\.count) == [8, 4, 4, 4, 12] && parts.allSatisfy { $0.allSatisfy { $0.isASCII && $0.isHexDigit } }
    }
}
