import Martlet

/// Databases, buses, groups and channels.
extension GraphBuilder {
    mutating func addDatabases() {
        for entry in graph.config.databases {
            let text = JSONWriter.text(entry.value.node)
            if keeps(entry.key, text, in: \.databases) { continue }
            let context = context(.database, entry.key, resolver())
            guard let database = make(entry.value, from: services.registry.databases, context: context) else { continue }
            do throws(SQLProblem) {
                let outbox = try Outbox(
                    database: database, log: services.log, identity: services.identity,
                    limitEvents: graph.config.host.outboxLimitEvents,
                    lease: .seconds(graph.config.host.outboxLeaseSeconds), logger: services.logger.with("outbox", entry.key))
                let runner = DatabaseRunner(name: entry.key, database: database, outbox: outbox, logger: services.logger)
                add(runner, entry.key, text, to: \.databases)
            } catch {
                problems.report(.invalid, at: entry.value.place, "database type `\(entry.value.type)` refuses the outbox: \(error.message)")
            }
        }
    }

    mutating func addPubSubs() {
        for entry in graph.config.pubSubs {
            let text = JSONWriter.text(entry.value.node)
            if keeps(entry.key, text, in: \.pubSubs) { continue }
            let context = context(.pubsub, entry.key, resolver())
            guard let pubSub = make(entry.value, from: services.registry.pubSubs, context: context) else { continue }
            let runner = PubSubRunner(name: entry.key, pubSub: pubSub, logger: services.logger)
            add(runner, entry.key, text, to: \.pubSubs)
        }
    }

    mutating func addGroups() {
        // Groups that deliver to a channel need it, and channels that replay a group need that: sinks first.
        for entry in graph.config.groups where entry.value.deliverTo == nil { addGroup(entry) }
    }

    mutating func addDeliveringGroups() {
        for entry in graph.config.groups where entry.value.deliverTo != nil { addGroup(entry) }
    }

    private mutating func addGroup(_ entry: ConfigMap<GroupConfig>.Entry) {
        let text = text("groups", entry.key)
        // Also for a group that is kept: a reload may have taken its topic away.
        let topics = entry.value.topics.compactMap { topic($0) }
        if keeps(entry.key, text, in: \.groups) { return }
        let resolver = resolver()
        let context = context(.group, entry.key, resolver)
        let transforms = chain(entry.value.transforms, context: context)
        var target: GroupTarget?
        var channelReadiness: [Readiness] = []
        if let sink = entry.value.sink {
            target = make(sink, from: services.registry.sinks, context: context).map { .sink($0) }
        } else if let reference = entry.value.deliverTo {
            let runner = channel(reference, resolver)
            target = runner.map { .channel($0.channel) }
            channelReadiness = runner.map { [$0.readiness] } ?? []
        }
        guard let target, let transforms, topics.count == entry.value.topics.count else { return }
        var settings = GroupSettings(name: GroupName(entry.key), topics: topics)
        settings.apply(entry.value)
        let runner = GroupRunner(
            settings: settings, target: target, transforms: transforms, log: services.log, registry: services.metrics,
            dependencies: resolver.usedDatabases.map(\.readiness) + resolver.usedPubSubs.map(\.readiness) + channelReadiness,
            runsHere: services.runsGroups, shared: services.sharedLog, logger: services.logger)
        add(runner, entry.key, text, uses: resolver.uses, to: \.groups)
    }

    private func channel(_ reference: ConfigText, _ resolver: GraphResolver) -> ChannelRunner? {
        let name = reference.plain
        guard let node = graph.channels.first(where: { $0.name == name }) else {
            reportUnknown("channel", reference, in: "channels")
            return nil
        }
        resolver.use(PipelineGraph.PartID(kind: .channel, name: name), node.part)
        return node.part
    }

    func chain(_ modules: [ConfigModule<TransformKind>], context: ModuleContext) -> TransformChain? {
        let transforms = modules.compactMap { make($0, from: services.registry.transforms, context: context) }
        return transforms.count == modules.count ? TransformChain(transforms) : nil
    }

    mutating func addChannels() {
        for entry in graph.config.channels { addChannel(entry) }
        addDeliveringGroups()
    }

    private mutating func addChannel(_ entry: ConfigMap<ConfigModule<ChannelKind>>.Entry) {
        let text = JSONWriter.text(entry.value.node)
        if keeps(entry.key, text, in: \.channels) { return }
        let resolver = resolver()
        let context = context(.channel, entry.key, resolver, access: access(entry.value.node))
        let platform = platformConfig(ChannelConfig.self, node: entry.value.node, path: entry.value.path)
        let channel = make(entry.value, from: services.registry.channels, context: context)
        guard let platform else { return }
        let subscribed = platform.subscribe.map { bus($0, of: channel, resolver) }
        let replaying = platform.replay.map { replay($0, of: channel, resolver) }
        if case .some(.none) = subscribed { return }
        if case .some(.none) = replaying { return }
        guard let channel else { return }
        let replayed = platform.replay.flatMap { config in graph.groups.first { $0.name == config.group.plain }?.part }
        let runner = ChannelRunner(
            name: entry.key, channel: channel, bus: subscribed ?? nil, replay: replaying ?? nil,
            replayTransforms: services.runsGroups ? nil : replayed?.replayTransforms,
            dependencies: resolver.usedDatabases.map(\.readiness), logger: services.logger)
        add(runner, entry.key, text, uses: resolver.uses, to: \.channels)
    }

    /// Nil if problems were reported.
    private func bus(
        _ config: SubscribeConfig, of channel: (any DeliveryChannel)?, _ resolver: GraphResolver
    ) -> (runner: PubSubRunner, channel: String)? {
        let runner = resolver.pubSubRunner(config.pubSub)
        if let refusal = channel?.subscriptionRefusal {
            problems.report(.invalid, at: config.pubSub.place, refusal)
            return nil
        }
        return runner.map { ($0, config.channel) }
    }

    /// Nil if problems were reported.
    private func replay(_ config: ReplayConfig, of channel: (any DeliveryChannel)?, _ resolver: GraphResolver) -> GroupReplay? {
        let made = replay(config, resolver)
        if let refusal = channel?.replayRefusal {
            problems.report(.invalid, at: config.group.place, refusal)
            return nil
        }
        return made
    }

    private func replay(_ config: ReplayConfig, _ resolver: GraphResolver) -> GroupReplay? {
        let name = config.group.plain
        guard let node = graph.groups.first(where: { $0.name == name }) else {
            reportUnknown("group", config.group, in: "groups")
            if graph.config.groups[name]?.deliverTo != nil {
                problems.report(
                    .invalid, at: config.group.place, "a group that delivers to a channel cannot be replayed", found: "`\(name)`")
            }
            return nil
        }
        let stateful = node.part.transforms.transforms.first { type(of: $0).isStateful }
        if let stateful {
            problems.report(
                .invalid, at: config.group.place,
                "group `\(name)` has the transform `\(type(of: stateful).name)`, whose result depends on other records, so it cannot be replayed")
            return nil
        }
        if let rekeying = node.part.transforms.transforms.first(where: { !$0.keepsKey }) {
            problems.report(
                .invalid, at: config.group.place,
                "group `\(name)` has the transform `\(type(of: rekeying).name)`, which changes keys, so it cannot be replayed by key",
                hint: "give events their key in the source's `publish`")
            return nil
        }
        resolver.use(PipelineGraph.PartID(kind: .group, name: name), node.part)
        return GroupReplay(
            topics: node.part.settings.topics, transforms: node.part.transforms, log: services.log)
    }
}

extension GroupSettings {
    fileprivate mutating func apply(_ config: GroupConfig) {
        start = config.start == .earliest ? .earliest : .latest
        batchEvents = config.batchEvents
        batchBytes = config.batchBytes
        batchWait = .milliseconds(config.batchWaitMilliseconds)
        commitInterval = .milliseconds(config.commitIntervalMilliseconds)
        retryInitial = .milliseconds(config.retry.initialMilliseconds)
        retryMaximum = .milliseconds(config.retry.maxMilliseconds)
        isPaused = config.isPaused
    }
}
