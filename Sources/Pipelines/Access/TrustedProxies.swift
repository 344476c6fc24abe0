import Martlet

/// Finds the client of a request that came through proxies.
///
/// Each proxy writes the address that it got the request from at the end of a header. So the list is read from its end,
/// as far as trusted proxies wrote it: the first address that is no trusted proxy's is the client. What stands before
/// that is what the client says, and may be anything.
package struct TrustedProxies: Sendable {
    private let blocks: [AddressBlock]
    private let header: HostConfig.ForwardedHeader

    /// Nil if no proxy is trusted.
    package init?(_ config: HostConfig) {
        guard !config.trustedProxies.isEmpty else { return nil }
        blocks = config.trustedProxies
        header = config.forwardedHeader
    }

    /// - Parameters:
    ///   - peer: the address of the connection's other end.
    ///   - field: looks up a header of the request.
    /// - Returns: the client's address as text; `peer` if that is no trusted proxy, or one that does not say.
    func client(behind peer: String, _ field: (String) -> String?) -> String {
        guard let proxy = IPAddress(peer), isTrusted(proxy), let text = field(header.rawValue) else { return peer }
        var client = proxy
        for hop in hops(text).reversed() {
            // Where a proxy did not know, what others wrote before it says nothing.
            guard let hop else { break }
            client = hop
            if !isTrusted(hop) { break }
        }
        return client.description
    }

    private func isTrusted(_ address: IPAddress) -> Bool {
        blocks.contains { $0.contains(address) }
    }

    private func hops(_ text: String) -> [IPAddress?] {
        switch header {
        case .xForwardedFor: ForwardedHops.list(text)
        case .forwarded: ForwardedHops.elements(text)
        }
    }
}
