import Martlet

/// A server and how to log in to it. Its description names neither user nor password.
struct RedisEndpoint: Sendable, CustomStringConvertible {
    /// Why a URL is not usable; holds nothing of the URL.
    struct Mistake: Error {
        let message: String
    }

    var host: String
    var port: Int
    var user: String?
    var password: String?
    var database: Int

    var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    init(parsing url: String) throws(Mistake) {
        var rest = Substring(url)
        if rest.hasPrefix("rediss://") {
            throw Mistake(
                message: "`rediss://` needs TLS, which Debian's hiredis 0.14 does not have; "
                    + "run a TLS proxy (stunnel, HAProxy, spiped) beside this host and use redis:// to it")
        }
        guard rest.hasPrefix("redis://") else {
            throw Mistake(message: "must be `redis://user:password@host:port/database`, all but the host optional")
        }
        rest.removeFirst("redis://".count)
        if rest.contains(where: { $0 == "?" || $0 == "#" }) {
            throw Mistake(message: "must have no `?` or `#`: options are fields beside `url`; in a password write %3F and %23")
        }
        var path = Substring()
        if let slash = rest.firstIndex(of: "/") {
            path = rest[rest.index(after: slash)...]
            rest = rest[..<slash]
        }
        database = try Self.database(path)
        if let at = rest.lastIndex(of: "@") {
            (user, password) = try Self.login(rest[..<at])
            rest = rest[rest.index(after: at)...]
        }
        (host, port) = try Self.address(rest)
    }

    private static func database(_ path: Substring) throws(Mistake) -> Int {
        if path.isEmpty { return 0 }
        guard let number = Int(path), number >= 0, path.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else {
            throw Mistake(message: "the database after the `/` must be a number, such as redis://127.0.0.1:6379/0")
        }
        return number
    }

    private static func login(_ text: Substring) throws(Mistake) -> (user: String?, password: String?) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let user = try decoded(parts[0])
        let password = parts.count == 2 ? try decoded(parts[1]) : ""
        guard !password.isEmpty else {
            throw Mistake(message: "names a user without a password; write redis://user:password@host, or use `user` and `password`")
        }
        return (user.isEmpty ? nil : user, password)
    }

    private static func address(_ text: Substring) throws(Mistake) -> (String, Int) {
        var host = text
        var portText: Substring?
        if text.hasPrefix("["), let bracket = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<bracket]
            let after = text[text.index(after: bracket)...]
            guard after.isEmpty || after.hasPrefix(":") else {
                throw Mistake(message: "has something else than `:port` after the address in brackets")
            }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        }
        guard !host.isEmpty else { throw Mistake(message: "has no host") }
        guard let portText else { return (String(host), 6379) }
        guard let port = Int(portText), (1...65_535).contains(port) else {
            throw Mistake(message: "has a port that is not a number from 1 to 65535; an IPv6 address stands in brackets")
        }
        return (String(host), port)
    }

    /// Percent-decoding (RFC 3986).
    private static func decoded(_ text: Substring) throws(Mistake) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexDigit), let low = rest.popFirst().flatMap(hexDigit) else {
                throw Mistake(message: "has a `%` without two hexadecimal digits in user or password; write `%25` for a `%`")
            }
            bytes.append(high << 4 | low)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
