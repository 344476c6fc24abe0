package import Martlet

/// Turns a config into a validated graph: makes the modules, resolves what they refer to, reports every problem.
/// It has no side effect: nothing is opened, no file is touched, no thread is started.
package struct GraphBuilder {
    let root: JSONNode
    let services: GraphServices
    let problems: ConfigProblems
    let baseDirectory: String
    /// The running graph at a reload; parts that did not change are taken from it.
    let previous: PipelineGraph?
    var graph: PipelineGraph

    /// Builds; nil if there was any problem.
    /// - Parameters:
    ///   - config: decoded from `root`; blocks that are bad hold placeholders, and are built all the same, so that the
    ///     problems of the others are reported in the same run.
    ///   - root: the config file's object.
    ///   - baseDirectory: the folder that relative paths in the config start from.
    package static func build(
        _ config: PipelineConfig, root: JSONNode, baseDirectory: String, services: GraphServices, previous: PipelineGraph? = nil,
        problems: ConfigProblems
    ) -> PipelineGraph? {
        var builder = GraphBuilder(
            root: root, services: services, problems: problems, baseDirectory: baseDirectory, previous: previous,
            graph: PipelineGraph(config: config, topics: topics(of: config)))
        builder.checkTopics()
        builder.addSchemas()
        builder.addAuthenticators()
        builder.addDatabases()
        builder.addPubSubs()
        builder.addGroups()
        builder.addChannels()
        builder.addSources()
        builder.addQueries()
        builder.addGuards()
        builder.checkListeners()
        builder.checkRoutes()
        builder.checkChannelNames()
        return problems.isEmpty ? builder.graph : nil
    }

    /// Configured topics, and a dead-letter topic for each one that a group reads.
    private static func topics(of config: PipelineConfig) -> [(name: TopicName, settings: TopicSettings)] {
        var topics = config.topics.map { (name: TopicName($0.key), settings: $0.value.settings) }
        for group in config.groups {
            for text in group.value.topics {
                let name = TopicName(text.plain).deadLetters
                guard !topics.contains(where: { $0.name == name }),
                    let source = config.topics[text.plain]
                else { continue }
                var settings = source.settings
                settings.partitions = 1
                settings.cleanup = .delete
                // One event can be a dead letter of several groups, and more than once.
                settings.deduplication = nil
                topics.append((name, settings))
            }
        }
        return topics
    }

    // MARK: Means shared by all parts

    func context(
        _ kind: PipelineGraph.PartID.Kind, _ name: String, _ resolver: GraphResolver, access: RequestAccess = .anonymous
    ) -> ModuleContext {
        ModuleContext(
            name: name, baseDirectory: baseDirectory, logger: services.logger.with(kind.rawValue, name),
            metrics: services.metrics, payloads: services.payloads, schemas: services.schemas,
            loops: services.loops, http: services.http, dataDirectory: absolute(graph.config.host.dataDirectory), access: access,
            hostID: { [identity = services.identity] in identity.id }, resolver: resolver)
    }

    func absolute(_ path: String) -> String {
        path.hasPrefix("/") || baseDirectory.isEmpty ? path : baseDirectory + "/" + path
    }

    func resolver() -> GraphResolver {
        GraphResolver(
            problems: problems,
            databases: Dictionary(uniqueKeysWithValues: graph.databases.map { ($0.name, $0.part) }),
            pubSubs: Dictionary(uniqueKeysWithValues: graph.pubSubs.map { ($0.name, $0.part) }),
            databaseNames: names(in: "databases"), pubSubNames: names(in: "pubsub"),
            topics: { reference in topic(reference).map { LogTopic(name: $0, log: services.log) } })
    }

    /// The platform's own part of a module's object, with placeholders for what has problems; the module's fields are left to it.
    func platformConfig<Config: ModuleConfig>(
        _ type: Config.Type, node: JSONNode, path: ConfigPath
    ) -> Config? {
        Config.decodePartially(node, path: path, problems: problems, keys: .open)
    }

    func make<Kind: ConfigModuleKind, Instance: Sendable>(
        _ module: ConfigModule<Kind>, from factories: [ModuleFactory<Instance>], context: ModuleContext
    ) -> Instance? {
        guard let factory = factories.first(where: { $0.name == module.type }) else {
            module.reportUnknownType(among: factories.map(\.name), problems: problems)
            return nil
        }
        return factory.make(module.node, module.path, problems, context)
    }

    /// The topic that the config refers to; reports one that does not exist.
    func topic(_ reference: ConfigText) -> TopicName? {
        let name = TopicName(reference.plain)
        if graph.topics.contains(where: { $0.name == name }) { return name }
        reportUnknown("topic", reference, in: "topics")
        return nil
    }

    /// The names in a top-level block, whether or not what stands under them is valid.
    func names(in block: String) -> [String] {
        if case .object(let object)? = root[block]?.kind { object.keys } else { [] }
    }

    /// Reports a reference to nothing; one to something that has problems of its own is no problem here.
    func reportUnknown(_ what: String, _ reference: ConfigText, in block: String) {
        let names = names(in: block)
        guard !names.contains(reference.plain) else { return }
        problems.reportUnknown(what, reference, among: names, title: block)
    }

    /// A block's text, by which a reload tells whether it changed.
    func text(_ block: String, _ name: String) -> String {
        root[block]?[name].map { JSONWriter.text($0) } ?? ""
    }

    /// Takes the running part, if its block did not change and all that it was made with is kept too. Returns whether it does.
    mutating func keeps<Part: AnyObject & Sendable>(
        _ name: String, _ text: String, in nodes: WritableKeyPath<PipelineGraph, [PipelineGraph.Node<Part>]>
    ) -> Bool {
        guard let node = previous?[keyPath: nodes].first(where: { $0.name == name }), node.text == text,
            node.uses.allSatisfy({ id, identity in current(id) == identity })
        else { return false }
        graph[keyPath: nodes].append(
            PipelineGraph.Node(name: name, part: node.part, text: text, uses: node.uses, isKept: true))
        return true
    }

    /// Adds a part that was made.
    mutating func add<Part: Sendable>(
        _ part: Part, _ name: String, _ text: String, uses: [PipelineGraph.PartID: ObjectIdentifier] = [:],
        to nodes: WritableKeyPath<PipelineGraph, [PipelineGraph.Node<Part>]>
    ) {
        graph[keyPath: nodes].append(PipelineGraph.Node(name: name, part: part, text: text, uses: uses, isKept: false))
    }

    private func current(_ id: PipelineGraph.PartID) -> ObjectIdentifier? {
        switch id.kind {
        case .database: graph.databases.first { $0.name == id.name }.map { ObjectIdentifier($0.part) }
        case .pubsub: graph.pubSubs.first { $0.name == id.name }.map { ObjectIdentifier($0.part) }
        case .group: graph.groups.first { $0.name == id.name }.map { ObjectIdentifier($0.part) }
        case .channel: graph.channels.first { $0.name == id.name }.map { ObjectIdentifier($0.part) }
        case .auth, .source, .query: nil
        }
    }
}
