/// Where a server listens: a host (name or address) and a port.
package struct ListenAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name, an IPv4 address, an IPv6 address without brackets, or empty for all interfaces.
    package var host: String
    /// 0 lets the system choose.
    package var port: UInt16

    /// An address from its parts.
    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Parses `host:port`, `[IPv6]:port` or `:port`. Throws `HTTPServerError.malformedAddress`.
    package init(parsing text: String) throws(HTTPServerError) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...]),
            text[text.index(after: colon)...].allSatisfy({ $0.isASCII && $0.isNumber })
        else { throw HTTPServerError.malformedAddress(text) }
        var host = text[..<colon]
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { throw HTTPServerError.malformedAddress(text) }
        } else if host.contains(":") {
            throw HTTPServerError.malformedAddress(text)
        }
        self.init(host: String(host), port: port)
    }

    /// As it is written in a config or URL: `127.0.0.1:8080`, `[::1]:8080`.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
