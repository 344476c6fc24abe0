/// Which addresses an ``OutgoingHTTPClient`` connects to. It is asked at connect time with the address that the name led
/// to, so that a name whose answer changes after a check is refused as well.
///
/// ``publicOnly(besides:)`` keeps requests whose target somebody else may choose (a webhook's URL) out of the operator's
/// own networks. It refuses what IANA's registries of special addresses (RFC 6890) hold: this host (0.0.0.0/8, `::`),
/// loopback, private and unique-local networks, shared address space (100.64.0.0/10), link-local (with the metadata
/// service of clouds, 169.254.169.254), multicast, broadcast, documentation and reserved blocks; all of IPv6 but
/// 2000::/3; the IPv4 addresses that hide in IPv6 ones: mapped (`::ffff:…`), NAT64 (64:ff9b::/96), 6to4 and Teredo; and
/// 168.63.129.16, the public address at which Azure's hosts are asked.
public struct AddressPolicy: Sendable, Hashable {
    /// Blocks that are connected to whatever else they are; nil for all addresses.
    private let allowed: [AddressBlock]?

    /// Every address: for requests whose target the operator alone chooses.
    public static let any = AddressPolicy(allowed: nil)

    /// Public addresses and these blocks.
    public static func publicOnly(besides allowed: [AddressBlock] = []) -> AddressPolicy {
        AddressPolicy(allowed: allowed)
    }

    /// Why the address is refused, such as `a loopback address`; nil if it is not.
    public func refusal(of address: IPAddress) -> String? {
        guard let allowed else { return nil }
        let target = Self.embedded(in: address) ?? address
        if allowed.contains(where: { $0.contains(address) || $0.contains(target) }) { return nil }
        if let v4 = target.v4 { return Self.special(v4) }
        return Self.special(target)
    }

    /// The IPv4 address that NAT64 translates to (RFC 6052).
    private static func embedded(in address: IPAddress) -> IPAddress? {
        nat64.contains(address) ? IPAddress(v4: UInt32(truncatingIfNeeded: address.bits)) : nil
    }

    private static let nat64 = block("64:ff9b::/96")

    private static func special(_ v4: UInt32) -> String? {
        let address = IPAddress(v4: v4)
        return v4Blocks.first { $0.block.contains(address) }?.what
    }

    private static func special(_ address: IPAddress) -> String? {
        if let found = v6Blocks.first(where: { $0.block.contains(address) }) { return found.what }
        return globalUnicast.contains(address) ? nil : "a reserved address"
    }

    private static let globalUnicast = block("2000::/3")

    private static let v4Blocks: [(block: AddressBlock, what: String)] = [
        ("0.0.0.0/8", "an address of this host"), ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "an address of a provider's own network"), ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"), ("172.16.0.0/12", "a private address"),
        ("192.168.0.0/16", "a private address"), ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "an address of documentation"), ("192.88.99.0/24", "a reserved address"),
        ("198.18.0.0/15", "an address of benchmarks"), ("198.51.100.0/24", "an address of documentation"),
        ("203.0.113.0/24", "an address of documentation"), ("168.63.129.16/32", "a cloud's metadata address"),
        ("224.0.0.0/4", "a multicast address"), ("240.0.0.0/4", "a reserved address"),
    ].map { (block($0.0), $0.1) }

    private static let v6Blocks: [(block: AddressBlock, what: String)] = [
        ("::/128", "an address of this host"), ("::1/128", "a loopback address"), ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"), ("fec0::/10", "a private address"), ("ff00::/8", "a multicast address"),
        ("2001::/23", "a reserved address"), ("2001:db8::/32", "an address of documentation"),
        ("2002::/16", "a 6to4 address"), ("3fff::/20", "an address of documentation"),
    ].map { (block($0.0), $0.1) }

    private static func block(_ text: String) -> AddressBlock {
        guard let block = AddressBlock(text) else { preconditionFailure("\(text) is no block of addresses") }
        return block
    }
}
