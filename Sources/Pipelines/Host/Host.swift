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

    struct State {
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

    /// The log that the pipelines use: this host's own, another host's, or one that many hosts share.
    package var log: any EventLog { hostLog.log }
    let hostLog: HostLog
    package let metrics: MetricsRegistry
    let logger: Logger
    let loops: HostLoops
    let services: GraphServices
    let caches: [ChunkCache]
    let router: SwappableRouter
    let adminRouter: SwappableRouter
    let configPath: String
    let overrides: [String]
    let dataDirectory: String
    let identity: HostIdentity
    let surroundings: HostSurroundings
    let plugins = PluginLoader()
    /// Without those of plugins.
    let standardModules: ModuleRegistry
    /// As they were at the start.
    let startKeys: HostKeys
    let state: Mutex<State>

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
        self.surroundings = surroundings
        standardModules = registry
        let modules = surroundings.modules(
            plugins.registry(registry, adding: loaded.config.plugins, resolve: loaded.path, problems: loaded.problems))
        let logModule = LogModule(
            registry: modules,
            context: Self.logContext(
                loaded, loops: loops, http: surroundings.http, metrics: metrics, identity: identity, logger: logger))
        hostLog = HostLog(
            loaded, module: { logModule.make($0, topics: loaded.config.topics, problems: loaded.problems) },
            journalBytes: surroundings.journalBytes, metrics: metrics, logger: logger)
        var services = GraphServices(
            registry: modules, logger: logger, metrics: metrics, payloads: SimdjsonPayloadReader(),
            schemas: ValijsonSchemaCompiler(), loops: loops, log: hostLog.log, identity: identity,
            runsGroups: hostLog.runsGroups, sharedLog: hostLog.shared, tickets: Tickets(secret: loaded.config.host.ticketSecret?.plain))
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

    /// The log, if many hosts share it.
    package var sharedLog: SharedLogRunner? { hostLog.shared }

    /// What the module of a log is given, which stands below everything that a graph has.
    static func logContext(
        _ loaded: LoadedConfig, loops: HostLoops, http: any OutgoingHTTP, metrics: MetricsRegistry, identity: HostIdentity, logger: Logger
    ) -> ModuleContext {
        let type = loaded.config.log.module?.type ?? ""
        return ModuleContext(
            name: type, baseDirectory: loaded.baseDirectory, logger: logger.with("log", type), metrics: metrics,
            payloads: SimdjsonPayloadReader(), schemas: ValijsonSchemaCompiler(), loops: loops, http: http,
            dataDirectory: loaded.dataDirectory, hostID: { identity.id }, resolver: LogResolver(problems: loaded.problems))
    }

    package var phase: Phase { state.withLock { $0.phase } }
    package var graph: PipelineGraph { state.withLock { $0.graph } }
    /// The address of the configured paths, with the port in use.
    package var publicAddress: String { state.withLock { $0.publicAddress } }
    /// The address of the admin listener, with the port in use.
    package var adminAddress: String { state.withLock { $0.adminAddress } }
    /// What the public listener has served.
    package var serverCounters: HTTPServerCounters? { state.withLock { $0.publicServer }?.counters }
}
