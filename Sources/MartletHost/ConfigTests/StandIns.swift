import Martlet

/// Which modules a config test leaves as they are, and what stands for the others.
///
/// Databases become SQLite files in the test's folder, with the configured schema; buses stay in the process. Sinks and
/// channels that write to those, or send requests through the host's HTTP client, are the real ones, as are transforms and
/// sources that serve HTTP. Everything else reaches outside, and is replaced by a recorder unless the test file says `run`.
struct StandIns {
    static let safe: Set<String> = [
        "source/http", "sink/table", "sink/sql", "sink/pubsub", "sink/http", "channel/sse", "channel/webhook",
    ]

    let folder: String
    let recorder: ConfigTestRecorder
    /// `sink/chat_alert` and so on.
    let run: Set<String>

    private func keeps(_ kind: ModuleKind, _ type: String) -> Bool {
        Self.safe.contains("\(kind.rawValue)/\(type)") || run.contains("\(kind.rawValue)/\(type)")
    }

    /// - Parameter modules: with the modules of the config's plugins.
    func registry(_ modules: ModuleRegistry) -> ModuleRegistry {
        var standIns = ModuleStandIns()
        standIns.sinks = { type in keeps(.sink, type) ? nil : sink() }
        standIns.channels = { type in keeps(.channel, type) ? nil : channel() }
        standIns.sources = { type in keeps(.source, type) ? nil : source(type, modules) }
        standIns.databases = { type in run.contains("database/\(type)") ? nil : database(modules) }
        standIns.pubSubs = { _ in bus(modules) }
        return standIns.registry(modules)
    }

    private func sink() -> ModuleStandIns.Maker<any Sink> {
        { _, _, _, context in RecordingSink(group: context.name, recorder: recorder) }
    }

    private func channel() -> ModuleStandIns.Maker<any DeliveryChannel> {
        { _, _, _, context in RecordingChannel(channel: context.name, recorder: recorder) }
    }

    /// The variables of the source decide which templates of its `publish` are good.
    private func source(_ type: String, _ modules: ModuleRegistry) -> ModuleStandIns.Maker<any EventSource>? {
        guard let original = modules.sources.first(where: { $0.name == type }) else { return nil }
        return { node, path, problems, context in
            let variables = original.make(node, path, problems, context)?.templateVariables ?? []
            return WaitingSource(source: context.name, templateVariables: variables, recorder: recorder)
        }
    }

    private func database(_ modules: ModuleRegistry) -> ModuleStandIns.Maker<any Database>? {
        guard let sqlite = modules.databases.first(where: { $0.name == "sqlite" }) else { return nil }
        return { node, path, problems, context in
            let config = JSONNode.object([
                ("type", "sqlite"), ("path", .string("\(folder)/\(context.name).db")), ("synchronous", "normal"),
                ("schema", node["schema"] ?? .array([])),
            ])
            return sqlite.make(JSONNode(config.kind, position: node.position), path, problems, context)
        }
    }

    private func bus(_ modules: ModuleRegistry) -> ModuleStandIns.Maker<any PubSub>? {
        guard let memory = modules.pubSubs.first(where: { $0.name == "memory" }) else { return nil }
        return { _, path, problems, context in
            memory.make(.object([("type", "memory")]), path, problems, context)
                .map { RecordingBus(name: context.name, bus: $0, recorder: recorder) }
        }
    }
}
