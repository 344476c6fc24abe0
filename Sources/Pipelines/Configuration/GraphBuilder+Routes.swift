import Martlet

/// Sources and queries.
extension GraphBuilder {
    mutating func addSources() {
        for entry in graph.config.sources { addSource(entry) }
    }

    private mutating func addSource(_ entry: ConfigMap<ConfigModule<SourceKind>>.Entry) {
        var text = JSONWriter.text(entry.value.node)
        let platform = platformConfig(SourceConfig.self, node: entry.value.node, path: entry.value.path)
        // Also for a source that is kept: a reload may have taken its topic away.
        let topic = platform?.publish.topic.flatMap { self.topic($0) }
        // A source is made anew if its topic's schema changes.
        text += topic.flatMap { graph.schemas.entries[$0]?.text } ?? ""
        if keeps(entry.key, text, in: \.sources) { return }
        let resolver = resolver()
        let context = context(.source, entry.key, resolver, access: access(entry.value.node))
        let source = make(entry.value, from: services.registry.sources, context: context)
        guard let platform else { return }
        // Callers are the platform's: a module need not know of them for its templates to read their claims.
        let variables = source?.templateVariables.union(context.access.isAuthenticated ? [.claim] : []) ?? context.access.variables
        let transforms = chain(platform.transforms, context: context)
        for (module, transform) in zip(platform.transforms, transforms?.transforms ?? []) where !type(of: transform).runsInSources {
            problems.report(
                .invalid, at: module.typeText.place, "the transform `\(module.type)` cannot stand in a source",
                hint: "put it in the groups that read the topic")
        }
        let savesTo = platform.save.flatMap { resolver.databaseRunner($0.database) }
        let save = platform.save.flatMap { savePlan($0, savesTo, allowing: variables, context: context) }
        let publish = publishPlan(
            platform.publish, topic, resolver, allowing: platform.save == nil ? variables : variables.union([.saved]), context: context)
        guard let source, let transforms, let publish, platform.save == nil || save != nil else { return }
        let pipeline = SourcePipeline(
            name: entry.key, transforms: transforms, save: save, publish: publish, log: services.log, gate: services.intake, payloads: services.payloads,
            metrics: SourceMetrics(registry: services.metrics, source: entry.key), logger: context.logger)
        let runner = SourceRunner(
            name: entry.key, source: source, pipeline: pipeline, transforms: transforms, savesTo: savesTo,
            logger: services.logger)
        add(runner, entry.key, text, uses: resolver.uses, to: \.sources)
    }

    /// Nil if problems were reported.
    private func publishPlan(
        _ config: PublishConfig, _ topic: TopicName?, _ resolver: GraphResolver, allowing kinds: Set<TemplateVariableKind>,
        context: ModuleContext
    ) -> PublishPlan? {
        let bus = config.pubsub.flatMap { resolver.pubSubRunner($0) }
        let destination =
            topic.map { PublishDestination.topic($0) }
            ?? bus.map { .bus(BusPublisher(bus: $0.pubSub, channel: config.channel ?? "")) }
        // Its templates are checked also where the destination has a problem of its own.
        let plan = PublishPlan(
            config, to: destination ?? .topic(""), allowing: kinds, maxEventBytes: services.log.maxEventBytes, schemas: graph.schemas,
            context: context)
        return destination == nil ? nil : plan
    }

    private func savePlan(
        _ config: SaveConfig, _ runner: DatabaseRunner?, allowing kinds: Set<TemplateVariableKind>, context: ModuleContext
    ) -> SavePlan? {
        let binding = StatementBinding.compile(
            sql: config.sql, parameters: config.parameters, database: runner?.database, allowing: kinds, context: context)
        guard let runner, let binding else { return nil }
        return SavePlan(binding: binding, outbox: runner.outbox)
    }

    mutating func addQueries() {
        for entry in graph.config.queries {
            let text = text("queries", entry.key)
            if keeps(entry.key, text, in: \.queries) { continue }
            let resolver = resolver()
            let context = context(.query, entry.key, resolver, access: access(root["queries"]?[entry.key]))
            let runner = resolver.databaseRunner(entry.value.database)
            let binding = StatementBinding.compile(
                sql: entry.value.sql, parameters: entry.value.parameters, database: runner?.database,
                allowing: context.access.variables, context: context)
            guard let runner, let binding, !entry.value.path.isPlaceholder else { continue }
            let query = QueryRunner(
                name: entry.key, config: entry.value, binding: binding, runner: runner, context: context)
            add(query, entry.key, text, uses: resolver.uses, to: \.queries)
        }
    }
}
