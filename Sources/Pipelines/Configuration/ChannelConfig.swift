package import Martlet

/// The platform's part of an entry of `channels`.
package struct ChannelConfig: ModuleConfig {
    /// How long a ticket is good.
    package static let ticketSecondsDefault = 30

    package let access: AccessConfig
    package let ticketSeconds: Int
    package let subscribe: SubscribeConfig?
    package let replay: ReplayConfig?

    package init(from fields: inout ConfigFields) {
        access = AccessConfig(from: &fields)
        ticketSeconds = fields.optional(
            "ticket_seconds", default: Self.ticketSecondsDefault, in: 1...600,
            "With `auth`: how long a ticket of `POST <path>/ticket` opens a stream as `?ticket=`, once.")
        subscribe = fields.optional("subscribe", "The bus that feeds the channel, unless a group delivers to it.")
        replay = fields.optional("replay", "Where a stream that resumes rereads what it missed.")
    }
}

/// The block `subscribe` of a channel.
package struct SubscribeConfig: ModuleConfig {
    package let pubSub: ConfigText
    package let channel: String

    package init(from fields: inout ConfigFields) {
        pubSub = fields.required("pubsub", "A name from `pubsub`.", example: "bus")
        channel = fields.required("channel", "The bus's channel.", example: "notifications")
    }
}

/// The block `replay` of a channel.
package struct ReplayConfig: ModuleConfig {
    package let group: ConfigText

    package init(from fields: inout ConfigFields) {
        group = fields.required(
            "group", "A name from `groups`, whose topics are read and whose transforms are applied again.",
            example: "notification-push")
    }
}
