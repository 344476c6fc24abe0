import Martlet

/// Who a stream is for, and what it counts against.
struct StreamPeer: Sendable {
    /// What messages match the stream by; one empty key if it gets all.
    let keys: [Bytes]
    /// The caller, named among those of all verifiers; nil if nobody is known.
    let user: String?
    /// Nil unless addresses are counted.
    let address: String?
    /// When the caller's credentials end, in milliseconds since the epoch; `Int64.max` if they do not.
    let expiresAt: Int64

    init(keys: [Bytes], user: String? = nil, address: String? = nil, expiresAt: Int64 = .max) {
        self.keys = keys
        self.user = user
        self.address = address
        self.expiresAt = expiresAt
    }

    init(keys: [Bytes], _ exchange: any HTTPExchange, countsAddresses: Bool) {
        self.init(
            keys: keys, user: exchange.caller?.scope, address: countsAddresses ? Self.counted(exchange.remoteAddress) : nil,
            expiresAt: exchange.caller?.expiresAt ?? .max)
    }

    /// A whole IPv6 network of 64 bits is one customer's.
    static func counted(_ address: String) -> String {
        guard address.contains(":") else { return address }
        let halves = address.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
        var groups = halves[0].split(separator: ":").map(String.init)
        if halves.count == 2 {
            let tail = halves[1].split(separator: ":").map(String.init)
            groups += Array(repeating: "0", count: max(0, 8 - groups.count - tail.count)) + tail
        }
        return groups.prefix(4).joined(separator: ":") + "::/64"
    }
}
