package import Martlet

/// The whole config file.
package struct PipelineConfig: ModuleConfig {
    package let plugins: [ConfigText]
    package let host: HostConfig
    package let log: LogConfig
    package let auth: ConfigMap<ConfigModule<AuthKind>>
    package let databases: ConfigMap<ConfigModule<DatabaseKind>>
    package let pubSubs: ConfigMap<ConfigModule<PubSubKind>>
    package let topics: ConfigMap<TopicConfig>
    package let sources: ConfigMap<ConfigModule<SourceKind>>
    package let groups: ConfigMap<GroupConfig>
    package let channels: ConfigMap<ConfigModule<ChannelKind>>
    package let queries: ConfigMap<QueryConfig>

    package init(from fields: inout ConfigFields) {
        plugins = fields.optional(
            "plugins", default: [], "Libraries with more modules, made by `martlet plugin build`; relative to the config file.",
            example: ["build/libAudit.so"])
        host = fields.section("host", "Listeners, data folder and limits of this host.")
        log = fields.section("log", "The engine that keeps topics.")
        auth = fields.optional("auth", default: [:], "Verifiers of callers by name; sources, channels and queries refer to them.")
        databases = fields.optional("databases", default: [:], "Persistence backends by name.")
        pubSubs = fields.optional("pubsub", default: [:], "Buses between hosts by name.")
        topics = fields.optional("topics", default: [:], "Topics by name, as in Kafka.")
        sources = fields.optional("sources", default: [:], "Modules that bring events in, by name.")
        groups = fields.optional("groups", default: [:], "Consumer groups by name.")
        channels = fields.optional("channels", default: [:], "Modules that deliver messages to the outside, by name.")
        queries = fields.optional("queries", default: [:], "Read-only HTTP endpoints over a database, by name.")
    }
}
