package import Martlet

/// The platform's part of an entry of `sources`.
package struct SourceConfig: ModuleConfig {
    package let access: AccessConfig
    package let transforms: [ConfigModule<TransformKind>]
    package let save: SaveConfig?
    package let publish: PublishConfig

    package init(from fields: inout ConfigFields) {
        access = AccessConfig(from: &fields)
        transforms = fields.optional("transforms", default: [], "Applied to each input before it is saved or published.")
        save = fields.optional(
            "save", "A statement that runs in one transaction with the event's outbox row, before the answer.")
        publish = fields.required("publish", "The event made of each input, and where it goes.")
        if save != nil, publish.pubsub != nil {
            fields.problem(
                at: "publish", with: ["save"], "the event of a `save` goes to a `topic`: on a bus alone it could be lost after the save",
                found: "`pubsub`", hint: "name a topic, and let a group with a `pubsub` sink read it; or remove `save`")
        }
    }
}

/// The block `save` of a source.
package struct SaveConfig: ModuleConfig {
    package let database: ConfigText
    package let sql: ConfigText
    package let parameters: ConfigMap<ConfigText>

    package init(from fields: inout ConfigFields) {
        database = fields.required("database", "A name from `databases`.", example: "main")
        sql = fields.required(
            "sql", "One statement with named parameters; one that changes nothing publishes nothing.",
            example: "INSERT INTO likes(post_id, actor) VALUES (:post_id, :actor) ON CONFLICT DO NOTHING")
        parameters = fields.optional("parameters", default: [:], "A template for each parameter of the statement.")
    }
}

/// The block `publish` of a source.
package struct PublishConfig: ModuleConfig {
    package let topic: ConfigText?
    package let pubsub: ConfigText?
    package let channel: String?
    package let key: ConfigText?
    package let id: ConfigText?
    package let payload: ConfigObject?
    package let headers: ConfigMap<ConfigText>

    package init(from fields: inout ConfigFields) {
        topic = fields.optional("topic", "A name from `topics`: the log keeps the event, and groups read it.", example: "notifications")
        pubsub = fields.optional(
            "pubsub", "Instead of a topic, a name from `pubsub`: who is connected now gets the event, and nothing keeps it.", example: "bus")
        channel = fields.optional("channel", "With `pubsub`: the bus's channel.", example: "typing")
        key = fields.optional("key", "Events of one key keep their order.", example: "${/user}")
        id = fields.optional("id", "The event's id; left out, a UUIDv7.", example: "${/id}")
        payload = fields.optional("payload", "The event's payload, with templates in its strings; left out, the input.")
        headers = fields.optional("headers", default: [:], "The event's headers, templates.")
        switch (topic, pubsub) {
        case (nil, nil):
            fields.problem(
                at: "topic", with: ["pubsub"], "an event goes to a `topic` or to a `pubsub`", hint: "topic: a name from `topics`")
        case (.some, .some):
            fields.problem(
                at: "pubsub", with: ["topic"], "an event goes to a `topic` or to a `pubsub`, not both", hint: "remove one of them")
        case (nil, .some) where channel == nil:
            fields.problem(
                at: "channel", with: ["pubsub"], "`pubsub` needs the `channel` to publish on",
                hint: "channel: the one that `channels` subscribe to")
        case (.some, nil) where channel != nil:
            fields.problem(
                at: "channel", with: ["topic"], "`channel` goes with `pubsub`; a topic has none", hint: "remove it, or name a `pubsub`")
        default: break
        }
    }
}
