public import Martlet

/// The fields of `"type": "pubsub"`.
public struct PubSubSinkConfig: ModuleConfig {
    /// The name of a bus under `pubsub`.
    public let pubsub: ConfigText
    /// The bus's channel.
    public let channel: String

    public init(from fields: inout ConfigFields) {
        pubsub = fields.required("pubsub", "The bus to publish on: a name under `pubsub`.", example: "bus")
        channel = fields.required("channel", "The bus's channel.", example: "notifications")
    }
}
