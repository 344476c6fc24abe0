/// Which event types an endpoint gets.
struct EventFilter: Sendable, Hashable {
    /// Types as they are written, `order.*` for all that begin with `order.`; none for all.
    let patterns: [String]

    init(_ patterns: [String]) {
        self.patterns = patterns
    }

    /// Why a pattern is none; nil if it is good.
    static func problem(of pattern: String) -> String? {
        if pattern.isEmpty { return "an event type is not empty" }
        if pattern.dropLast().contains("*") { return "`*` stands only at the end of an event type" }
        return nil
    }

    /// The types that it admits, if they are all named.
    var exactTypes: Set<String>? {
        patterns.isEmpty || patterns.contains { $0.utf8.last == UInt8(ascii: "*") } ? nil : Set(patterns)
    }

    func admits(_ type: String) -> Bool {
        patterns.isEmpty
            || patterns.contains { pattern in
                pattern.utf8.last == UInt8(ascii: "*") ? type.hasPrefix(pattern.dropLast()) : type == pattern
            }
    }
}
