import Martlet

/// Finds what a request carries to say who sent it.
enum Credentials {
    /// The token of `Authorization: Bearer` (RFC 6750, section 2.1); nil without one.
    static func bearer(_ exchange: any HTTPExchange) -> String? {
        guard let field = exchange.header("authorization") else { return nil }
        let parts = field.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return String(parts[1].drop { $0 == " " })
    }

    /// The value of a cookie (RFC 6265, section 5.4); nil without one.
    static func cookie(_ name: String, _ exchange: any HTTPExchange) -> String? {
        guard let field = exchange.header("cookie") else { return nil }
        for pair in field.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, parts[0].drop(while: { $0 == " " }) == name else { continue }
            var value = parts[1]
            if value.count >= 2, value.hasPrefix("\""), value.hasSuffix("\"") { value = value.dropFirst().dropLast() }
            return String(value)
        }
        return nil
    }
}
