public import Martlet

/// The fields of `"type": "memory"`.
public struct MemoryBusConfig: ModuleConfig {
    /// Subscriptions over all channels.
    public let maxSubscriptions: Int

    public init(from fields: inout ConfigFields) {
        maxSubscriptions = fields.optional(
            "max_subscriptions", default: 1_000, in: 1...100_000, "Subscriptions over all channels of this bus.")
    }
}
