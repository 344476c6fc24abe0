package import Martlet
import Synchronization

extension Host {
    /// Reads the config file again and puts it in force. Parts that did not change run on, with their connections.
    /// A config with problems changes nothing; the problems are returned.
    package func reload() async -> ConfigProblems {
        let (loaded, problems) = LoadedConfig.load(path: configPath, overrides: overrides, environment: surroundings.environment)
        guard let loaded else { return problems }
        let old = graph
        var services = services
        services.registry = surroundings.modules(
            plugins.registry(standardModules, adding: loaded.config.plugins, resolve: loaded.path, problems: problems))
        checkLog(loaded, services.registry)
        guard
            let new = GraphBuilder.build(
                loaded.config, root: loaded.root, baseDirectory: loaded.baseDirectory, services: services, previous: old,
                problems: problems)
        else { return problems }
        do {
            try await sharedLog?.check(new.topics)
            try await ensureTopics(new)
        } catch {
            problems.report(.invalid, at: ConfigPlace(path: ConfigPath([.key("topics")]), position: .none), "\(error)")
            return problems
        }
        await replace(old, with: new)
        tellChanges(HostKeys(loaded.root))
        logger.info("config reloaded")
        return problems
    }

    /// A log that is a module is made once more, for its problems; the one that runs stays until the next start.
    private func checkLog(_ loaded: LoadedConfig, _ registry: ModuleRegistry) {
        guard let module = loaded.config.log.module else { return }
        let context = Self.logContext(
            loaded, loops: loops, http: surroundings.http, metrics: MetricsRegistry(), identity: identity, logger: logger)
        _ = LogModule(registry: registry, context: context).make(module, topics: loaded.config.topics, problems: loaded.problems)
    }

    /// Says which keys of `host` and `log` are in force now, and which are not.
    private func tellChanges(_ keys: HostKeys) {
        let previous = state.withLock { state in
            defer { state.keys = keys }
            return state.keys
        }
        for key in keys.inForce(otherThan: previous) { logger.info("`\(key)` has changed, and is in force") }
        for key in keys.waiting(since: startKeys) {
            logger.warning("`\(key)` has changed since the host started; that takes effect at the next start")
        }
    }

    private func replace(_ old: PipelineGraph, with new: PipelineGraph) async {
        let leaving = GraphDifference(from: old, to: new)
        // What uses a database that leaves must be done with it before its successor opens: both write one outbox.
        for source in leaving.sourcesOfDatabases { await source.stop() }
        await stop(leaving.groups)
        for channel in leaving.channels { await channel.stop(within: .seconds(1)) }
        for pubSub in leaving.pubSubs { await pubSub.stop() }
        for database in leaving.databases { await database.stop() }
        state.withLock { $0.graph = new }
        startParts(of: new)
        for node in new.authenticators where node.isKept { await node.part.authenticator.reload() }
        for node in new.groups where node.isKept { await readNewPartitions(node.part) }
        do {
            try install(new)
        } catch {
            // The routes were checked when the graph was built.
            logger.error("cannot install the routes: \(error)")
        }
        for source in leaving.otherSources { await source.stop() }
        for authenticator in leaving.authenticators { await authenticator.stop() }
    }

    private func readNewPartitions(_ group: GroupRunner) async {
        do {
            try await group.readNewPartitions()
        } catch {
            logger.error("group \(group.settings.name) does not read its topics' new partitions before a restart: \(error)")
        }
    }
}
