/// A block of addresses as CIDR writes it: `10.0.0.0/8`, `fd00::/8`; an address alone is a block of one.
public struct AddressBlock: Sendable, Hashable, CustomStringConvertible {
    private let bits: UInt128
    private let mask: UInt128

    /// As it was written.
    public let description: String

    /// A block as text; nil if it is none. Bits after the prefix do not matter.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count <= 2, let address = IPAddress(String(parts[0])) else { return nil }
        let width = parts[0].contains(":") ? 128 : 32
        var length = width
        if parts.count == 2 {
            guard let number = UInt8(parts[1]), Int(number) <= width else { return nil }
            length = Int(number)
        }
        // An IPv4 block stands in the mapped addresses, after their 96 bits.
        let prefix = UInt128(128 - width + length)
        mask = prefix == 0 ? 0 : ~UInt128(0) << (128 - prefix)
        bits = address.bits & mask
        description = text
    }

    /// Whether the address is one of the block's. An IPv4 address that is mapped into IPv6 counts as IPv4.
    public func contains(_ address: IPAddress) -> Bool {
        address.bits & mask == bits
    }

    public static func == (left: AddressBlock, right: AddressBlock) -> Bool {
        left.bits == right.bits && left.mask == right.mask
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(bits)
        hasher.combine(mask)
    }
}

extension AddressBlock: ConfigValue {
    /// Decodes a value or reports why not; see ``ConfigValue/decode(_:)``.
    public static func decode(_ input: ConfigInput) -> AddressBlock? {
        guard let text = input.plainText() else { return nil }
        if let block = AddressBlock(text) { return block }
        input.report(
            "must be a block of addresses", found: input.node.found, hint: "such as \"10.0.0.0/8\", \"fd00::/8\" or \"127.0.0.1\"")
        return nil
    }

    /// The value to go on with after a problem; see ``ConfigValue/placeholder``.
    public static var placeholder: AddressBlock {
        guard let block = AddressBlock("::/128") else { preconditionFailure("::/128 is a block") }
        return block
    }

    /// What a field of this type holds; see ``ConfigValue/shape(_:)``.
    public static func shape(_ context: ShapeContext) -> ConfigShape { .string }
    /// The value as it would be written; see ``ConfigValue/configNode``.
    public var configNode: JSONNode? { .string(description) }
}
