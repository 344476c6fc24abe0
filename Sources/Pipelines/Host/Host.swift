import Glibc
package import HTTPServer
package import Martlet
import Synchronization

/// A running Martlet host: one log, two listeners, and the pipelines of one config.
///
/// Life: ``start()`` → any number of ``reload()`` → ``stop()``. One task calls them, one after the other.
package final class Host: Sendable {
    /// Where the host is in its life, for `/readyz`.
    package enum Phase: Sendable {
        case starting, running, stopping
    }

    private struct State {
        var phase = Phase.starting
        var graph: PipelineGraph
        /// As they were when the config was read last.
        var keys: HostKeys
        var publicServer: HTTPServer?
        var adminServer: HTTPServer?
        var publicAddress = ""
        var adminRoutes: @Sendable (PipelineGraph) -> [Martlet.Route] = { _ in [] }
        var adminAddress = ""
    }

    /// The log that the pipelines use: this host's own, or another host's.
    package var log: any EventLog { hostLog.log }
    private let hostLog: HostLog
    package let metrics: MetricsRegistry
    let logger: Logger
    let loops: HostLoops
    let services: GraphServices
    private let caches: [ChunkCache]
    private let router: SwappableRouter
    private let adminRouter: SwappableRouter
    private let configPath: String
    private let overrides: [String]
    private let dataDirectory: String
    private let identity: HostIdentity
    private let surroundings: HostSurroundings
    private let plugins = PluginLoader()
    /// Without those of plugins.
    private let standardModules: ModuleRegistry
    /// As they were at the start.
    private let startKeys: HostKeys
    private let state: Mutex<State>

    /// Validates a config and makes a host of it that does not run yet. No side effect.
    ///
    /// - Returns: nil if there are problems, which are in the second value.
    package static func make(
        configPath: String, overrides: [String], registry: ModuleRegistry, surroundings: HostSurroundings = HostSurroundings(),
        logger: Logger
    ) -> (Host?, ConfigProblems) {
        let (loaded, problems) = LoadedConfig.load(path: configPath, overrides: overrides, environment: surroundings.environment)
        guard let loaded else { return (nil, problems) }
        let host = Host(
            loaded, configPath: configPath, overrides: overrides, registry: registry, surroundings: surroundings, logger: logger)
        return (problems.isEmpty ? host : nil, problems)
    }

    private init?(
        _ loaded: LoadedConfig, configPath: String, overrides: [String], registry: ModuleRegistry, surroundings: HostSurroundings,
        logger: Logger
    ) {
        self.configPath = configPath
        self.overrides = overrides
        self.logger = logger
        metrics = MetricsRegistry()
        dataDirectory = loaded.dataDirectory
        identity = HostIdentity(directory: loaded.dataDirectory)
        startKeys = HostKeys(loaded.root)
        loops = HostLoops(count: loaded.config.host.eventLoops ?? max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        caches = (0..<loops.count).map { _ in ChunkCache() }
        hostLog = HostLog(loaded, journalBytes: surroundings.journalBytes, metrics: metrics, logger: logger)
        self.surroundings = surroundings
        standardModules = registry
        let modules = plugins.registry(registry, adding: loaded.config.plugins, resolve: loaded.path, problems: loaded.problems)
        var services = GraphServices(
            registry: surroundings.modules(modules), logger: logger, metrics: metrics, payloads: SimdjsonPayloadReader(),
            schemas: ValijsonSchemaCompiler(), loops: loops, log: hostLog.log, identity: identity,
            runsGroups: loaded.config.log.remote == nil, tickets: Tickets(secret: loaded.config.host.ticketSecret?.plain))
        services.http = surroundings.http
        self.services = services
        guard
            let graph = GraphBuilder.build(
                loaded.config, root: loaded.root, baseDirectory: loaded.baseDirectory, services: services,
                problems: loaded.problems),
            let empty = try? Router([])
        else { return nil }
        router = SwappableRouter(empty)
        adminRouter = SwappableRouter(empty)
        state = Mutex(State(graph: graph, keys: startKeys))
        collectMetrics()
        remoteLog?.whenReplaced { [weak self] _ in
            for node in self?.graph.channels ?? [] where node.part.replays { node.part.reopen() }
        }
    }

    /// The log, if it is this host's own.
    package var embeddedLog: EmbeddedEventLog? {
        if case .embedded(let log) = hostLog { log } else { nil }
    }

    /// The log, if it is another host's.
    package var remoteLog: RemoteEventLog? {
        if case .remote(let log) = hostLog { log } else { nil }
    }

    package var phase: Phase { state.withLock { $0.phase } }
    package var graph: PipelineGraph { state.withLock { $0.graph } }
    /// The address of the configured paths, with the port in use.
    package var publicAddress: String { state.withLock { $0.publicAddress } }
    /// The address of the admin listener, with the port in use.
    package var adminAddress: String { state.withLock { $0.adminAddress } }
    /// What the public listener has served.
    package var serverCounters: HTTPServerCounters? { state.withLock { $0.publicServer }?.counters }

    // MARK: Start

    /// Opens the log, listens, and starts the pipelines. Dependencies that are down are tried again in the background.
    ///
    /// - Parameter adminRoutes: the routes of the admin listener for a graph: those of modules change with a reload.
    /// - Throws: ``HostError`` or an error of the log or the server that says what the operator can do.
    package func start(adminRoutes: @escaping @Sendable (PipelineGraph) -> [Martlet.Route]) async throws {
        let graph = graph
        _ = OpenFileLimit.raise()
        try makeDataDirectory()
        try await log.open()
        do {
            try identity.load()
            try await ensureTopics(graph)
            try loops.start()
            state.withLock { $0.adminRoutes = adminRoutes }
            try install(graph)
            try listen(graph.config.host)
        } catch {
            await log.close()
            throw error
        }
        startParts(of: graph)
        state.withLock { $0.phase = .running }
        logger.info("serving", ("listen", publicAddress), ("admin", adminAddress))
    }

    private func makeDataDirectory() throws {
        guard mkdir(dataDirectory, 0o755) == 0 || errno == EEXIST else {
            throw HostError(
                "cannot make the data folder \(dataDirectory): \(String(cString: strerror(errno))); "
                    + "set host.data_directory to a folder that this user may write")
        }
    }

    /// Makes the topics where the log is; elsewhere they are only compared with what the log has.
    func ensureTopics(_ graph: PipelineGraph) async throws {
        if let remoteLog {
            return remoteLog.expect(graph.topics.map { (name: $0.name, partitions: $0.settings.partitions) })
        }
        for topic in graph.topics { _ = try await log.ensureTopic(topic.name, topic.settings) }
    }

    /// Puts the graph's routes in force for requests that come from now on.
    func install(_ graph: PipelineGraph) throws {
        let proxies = TrustedProxies(graph.config.host)
        let routes = try graph.routes.map { try ServerRoutes.route($0.route, owner: $0.owner, caches: caches, proxies: proxies) }
        let adminRoutes = try state.withLock { $0.adminRoutes }(graph).map { try ServerRoutes.route($0, owner: "admin") }
        try adminRouter.replace(with: Router(adminRoutes))
        try router.replace(with: Router(routes))
    }

    /// The least limit of a request's body on the admin listener.
    private static let adminBodyBytes = 8 << 20

    private func listen(_ config: HostConfig) throws {
        var settings = HTTPServerSettings()
        settings.apply(config)
        let publicServer = HTTPServer(loops: loops.loops, settings: settings) { [router] in router.dispatch($0) }
        // Other hosts append here, whatever the limit of the configured paths.
        let eventBytes = graph.config.log.maxRecordBytes + (1 << 20)
        settings.request.bodyBytesMax = max(settings.request.bodyBytesMax, Self.adminBodyBytes, eventBytes)
        let adminServer = HTTPServer(loops: [loops.loops[0]], settings: settings) { [adminRouter] in adminRouter.dispatch($0) }
        let publicAddress = try publicServer.listen(on: ListenAddress(parsing: config.listen))
        let adminAddress = try adminServer.listen(on: ListenAddress(parsing: config.adminListen))
        state.withLock { state in
            state.publicServer = publicServer
            state.adminServer = adminServer
            state.publicAddress = publicAddress.description
            state.adminAddress = adminAddress.description
        }
    }

    /// Starts the parts that do not run yet.
    func startParts(of graph: PipelineGraph) {
        let saving = Set(graph.sources.compactMap { $0.part.savesTo.map(ObjectIdentifier.init) })
        for node in graph.databases { node.part.start(withOutbox: saving.contains(ObjectIdentifier(node.part))) }
        for node in graph.authenticators where !node.isKept { node.part.start() }
        for node in graph.pubSubs where !node.isKept { node.part.start() }
        for node in graph.channels where !node.isKept { node.part.start() }
        if let remoteLog {
            logger.info("groups run on the host that has the log", ("url", remoteLog.url), ("groups", String(graph.groups.count)))
        } else {
            for node in graph.groups where !node.isKept { node.part.start() }
        }
        for node in graph.sources where !node.isKept { node.part.start() }
    }

    // MARK: Reload

    /// Reads the config file again and puts it in force. Parts that did not change run on, with their connections.
    /// A config with problems changes nothing; the problems are returned.
    package func reload() async -> ConfigProblems {
        let (loaded, problems) = LoadedConfig.load(path: configPath, overrides: overrides, environment: surroundings.environment)
        guard let loaded else { return problems }
        let old = graph
        var services = services
        services.registry = surroundings.modules(
            plugins.registry(standardModules, adding: loaded.config.plugins, resolve: loaded.path, problems: problems))
        guard
            let new = GraphBuilder.build(
                loaded.config, root: loaded.root, baseDirectory: loaded.baseDirectory, services: services, previous: old,
                problems: problems)
        else { return problems }
        do {
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
        for group in leaving.groups { await stop(group) }
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

    // MARK: Stop

    /// Finishes what is under way within the grace period, commits and closes everything.
    package func stop() async {
        let (graph, servers) = state.withLock { state in
            state.phase = .stopping
            return (state.graph, [state.publicServer, state.adminServer].compactMap { $0 })
        }
        let grace = Duration.seconds(graph.config.host.shutdownGraceSeconds)
        logger.info("stopping", ("grace_seconds", String(graph.config.host.shutdownGraceSeconds)))
        // A channel that a group feeds is taken nothing more to before it closes.
        for group in graph.groups where group.part.target.isChannel { await stop(group.part) }
        for channel in graph.channels { await channel.part.stop(within: grace / 2) }
        await withTaskGroup(of: Void.self) { tasks in
            for server in servers { tasks.addTask { await server.stop(grace: grace / 2) } }
        }
        for source in graph.sources { await source.part.stop() }
        for node in graph.authenticators { await node.part.stop() }
        for group in graph.groups where !group.part.target.isChannel { await stop(group.part) }
        for pubSub in graph.pubSubs { await pubSub.part.stop() }
        for database in graph.databases { await database.part.stop() }
        await log.close()
        loops.stop()
        logger.info("stopped")
    }

    private func stop(_ group: GroupRunner) async {
        if services.runsGroups { await group.stop() } else { await group.replayTransforms.close() }
    }

    private func collectMetrics() {
        let uptime = metrics.gauge("martlet_start_time_seconds", "When the host started, seconds since the epoch.")
        uptime.set(Int(Timestamp.now() / 1000))
        let exported = ServerMetrics(registry: metrics)
        metrics.beforeCollecting { [weak self] in
            guard let self else { return }
            if let counters = serverCounters { exported.update(counters) }
            let graph = graph
            if services.runsGroups { for node in graph.groups { node.part.updateLag() } }
            for node in graph.pubSubs {
                metrics.gauge(
                    "martlet_pubsub_up", "Whether a bus is open and carries messages.", labels: [("pubsub", node.name)]
                ).set(node.part.isUp ? 1 : 0)
            }
            for node in graph.databases {
                metrics.gauge(
                    "martlet_outbox_events", "Events of this host in a database's outbox.", labels: [("database", node.name)]
                ).set(node.part.outbox.waiting)
            }
        }
    }
}

extension HTTPServerSettings {
    fileprivate mutating func apply(_ config: HostConfig) {
        request.bodyBytesMax = config.maxBodyBytes
        request.headerBytesMax = config.maxHeaderBytes
        connectionCountMax = config.maxConnections
        headerTimeout = .seconds(config.headerTimeoutSeconds)
        bodyTimeout = .seconds(config.bodyTimeoutSeconds)
        idleTimeout = .seconds(config.idleTimeoutSeconds)
        writeStallTimeout = .seconds(config.writeTimeoutSeconds)
    }
}
