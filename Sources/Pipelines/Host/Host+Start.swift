import Glibc
import HTTPServer
package import Martlet
import Synchronization

extension Host {
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
            await hostLog.close()
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

    /// Makes the topics where the log is, in the background if it is shared; on a host that uses another one's they are
    /// only compared with what the log has.
    func ensureTopics(_ graph: PipelineGraph) async throws {
        if let remoteLog {
            return remoteLog.expect(graph.topics.map { (name: $0.name, partitions: $0.settings.partitions) })
        }
        if let sharedLog { return sharedLog.expect(graph.topics) }
        for topic in log.refusedFirst(graph.topics) { _ = try await log.ensureTopic(topic.name, topic.settings) }
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
        let eventBytes = log.maxEventBytes + (1 << 20)
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
