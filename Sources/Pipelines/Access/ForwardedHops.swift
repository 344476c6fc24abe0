import Martlet

/// The addresses in a header that proxies write, in its order; nil for one that is none (`unknown`, `_hidden`).
enum ForwardedHops {
    /// `X-Forwarded-For`: addresses, with or without a port, separated by commas.
    ///
    /// Bytes are looked at, not characters: what a client writes (U+0600, say) can make one character of its end and the
    /// comma that a proxy puts behind it.
    static func list(_ text: String) -> [IPAddress?] {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        return text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { part in
            address(String(decoding: part.drop(while: isBlank).prefix { !isBlank($0) }, as: UTF8.self))
        }
    }

    /// `Forwarded` (RFC 7239, section 4): the `for` of each element. Nothing at all if the header is malformed: a client
    /// could open a quotation that swallows what a proxy appends.
    static func elements(_ text: String) -> [IPAddress?] {
        var scanner = Scanner(rest: Array(text.utf8)[...])
        var hops: [IPAddress?] = []
        var hop: IPAddress?
        while true {
            scanner.skipSpace()
            guard let byte = scanner.rest.first else { return hops + [hop] }
            if byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") {
                if byte == UInt8(ascii: ",") {
                    hops.append(hop)
                    hop = nil
                }
                scanner.rest.removeFirst()
                continue
            }
            guard let (name, value) = scanner.pair() else { return [] }
            if name.lowercased() == "for" { hop = address(value) }
        }
    }

    /// `192.0.2.1`, `192.0.2.1:8080`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:8080`.
    private static func address(_ node: String) -> IPAddress? {
        if node.hasPrefix("[") { return IPAddress(String(node.dropFirst().prefix { $0 != "]" })) }
        let colons = node.utf8.count { $0 == UInt8(ascii: ":") }
        return IPAddress(colons == 1 ? String(node.prefix { $0 != ":" }) : node)
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        mutating func skipSpace() {
            rest = rest.drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        }

        /// `name=value`, up to the comma, semicolon or end that must follow; nil if it is malformed.
        mutating func pair() -> (name: String, value: String)? {
            let name = rest.prefix { $0 != UInt8(ascii: "=") && Self.mayStand($0) }
            rest = rest.dropFirst(name.count)
            guard !name.isEmpty, rest.popFirst() == UInt8(ascii: "=") else { return nil }
            guard let value = rest.first == UInt8(ascii: "\"") ? quoted() : plain() else { return nil }
            skipSpace()
            guard rest.isEmpty || rest.first == UInt8(ascii: ",") || rest.first == UInt8(ascii: ";") else { return nil }
            return (String(decoding: name, as: UTF8.self), value)
        }

        private mutating func plain() -> String? {
            let value = rest.prefix(while: Self.mayStand)
            rest = rest.dropFirst(value.count)
            return value.isEmpty ? nil : String(decoding: value, as: UTF8.self)
        }

        private mutating func quoted() -> String? {
            rest.removeFirst()
            var value: [UInt8] = []
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\"") { return String(decoding: value, as: UTF8.self) }
                guard byte != UInt8(ascii: "\\") else {
                    guard let escaped = rest.popFirst() else { return nil }
                    value.append(escaped)
                    continue
                }
                value.append(byte)
            }
            return nil
        }

        /// Outside quotations. Addresses of IPv6 stand there too, although they should not.
        private static func mayStand(_ byte: UInt8) -> Bool {
            byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: ",") && byte != UInt8(ascii: ";")
        }
    }
}
