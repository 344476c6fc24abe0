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
        publish = fields.required("publish", "The event made of each input, and its topic.")
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
    package let topic: ConfigText
    package let key: ConfigText?
    package let id: ConfigText?
    package let payload: ConfigObject?
    package let headers: ConfigMap<ConfigText>

    package init(from fields: inout ConfigFields) {
        topic = fields.required("topic", "A name from `topics`.", example: "notifications")
        key = fields.optional("key", "Events of one key keep their order.", example: "${/user}")
        id = fields.optional("id", "The event's id; left out, a UUIDv7.", example: "${/id}")
        payload = fields.optional("payload", "The event's payload, with templates in its strings; left out, the input.")
        headers = fields.optional("headers", default: [:], "The event's headers, templates.")
    }
}
