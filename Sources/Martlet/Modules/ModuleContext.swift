/// What a module is given at validation: its name, the host's services, and the means to resolve what its config
/// refers to. Each look-up reports its own problem, at the place in the config file, when it fails.
public struct ModuleContext {
    /// The module's name in the config, such as `notification-store`.
    public let name: String
    public let logger: Logger
    public let metrics: MetricsRegistry
    /// Look-ups in JSON payloads.
    public let payloads: any PayloadReader
    /// JSON Schema.
    public let schemas: any SchemaCompiler
    /// The host's event loops, for modules that keep connections. They run only after validation.
    public let loops: any EventLoops
    /// Who may send requests to the module's routes.
    public let access: RequestAccess
    /// The host's data folder, which exists once modules are opened: for what a module must keep over a restart.
    public let dataDirectory: String
    /// Clients for requests to the outside.
    public let http: any OutgoingHTTP
    /// A name for this host and its data folder that lasts as long as the folder: it owns what hosts share by lease. To
    /// be called once the module is opened.
    public let hostID: @Sendable () -> String
    private var resolver: any ModuleResolver
    private let baseDirectory: String

    /// - Parameters:
    ///   - baseDirectory: the folder of the config file, which relative paths in it start from.
    ///   - dataDirectory: the host's data folder.
    public init(
        name: String, baseDirectory: String, logger: Logger, metrics: MetricsRegistry, payloads: any PayloadReader,
        schemas: any SchemaCompiler, loops: any EventLoops, http: any OutgoingHTTP, dataDirectory: String,
        access: RequestAccess = .anonymous, hostID: @escaping @Sendable () -> String, resolver: any ModuleResolver
    ) {
        self.name = name
        self.baseDirectory = baseDirectory
        self.logger = logger
        self.metrics = metrics
        self.payloads = payloads
        self.schemas = schemas
        self.loops = loops
        self.access = access
        self.dataDirectory = dataDirectory
        self.http = http
        self.hostID = hostID
        self.resolver = resolver
    }

    /// A path of the config as the process can use it: a relative one starts at the config file's folder.
    public func path(_ path: String) -> String {
        path.hasPrefix("/") || baseDirectory.isEmpty ? path : baseDirectory + "/" + path
    }

    /// The database that the config calls so. It is open before the module is.
    public func database(_ reference: ConfigText) -> (any Database)? {
        resolver.database(reference)
    }

    /// The bus that the config calls so. It is open before the module is.
    public func pubSub(_ reference: ConfigText) -> (any PubSub)? {
        resolver.pubSub(reference)
    }

    /// The topic that the config calls so, to publish to.
    public func topic(_ reference: ConfigText) -> (any TopicPublisher)? {
        resolver.topic(reference)
    }

    /// Reports that the config is wrong at this place: the rule broken, what was expected, what to do.
    ///
    /// - Parameter code: one of the module's own for what is wrong with a single value, whatever the others are.
    public func problem(at place: ConfigPlace, code: ConfigProblem.Code = .invalid, _ message: String) {
        resolver.problem(at: place, code: code, message)
    }
}

extension ModuleContext {
    /// The same for a module that is made without values that were refused, to find what else is wrong: rules between fields
    /// are not reported, which may be broken only because a value is missing.
    var reportingSingleValues: ModuleContext {
        var context = self
        context.resolver = SingleValueResolver(base: resolver)
        return context
    }
}

/// Finds what a module's config refers to; the host has one, and tests make their own.
public protocol ModuleResolver {
    /// Nil, with a problem reported, if there is none of that name.
    func database(_ reference: ConfigText) -> (any Database)?
    /// Nil, with a problem reported, if there is none of that name.
    func pubSub(_ reference: ConfigText) -> (any PubSub)?
    /// Nil, with a problem reported, if there is none of that name.
    func topic(_ reference: ConfigText) -> (any TopicPublisher)?
    func problem(at place: ConfigPlace, code: ConfigProblem.Code, _ message: String)
}
