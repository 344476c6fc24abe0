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
    private let resolver: any ModuleResolver

    public init(
        name: String, logger: Logger, metrics: MetricsRegistry, payloads: any PayloadReader,
        schemas: any SchemaCompiler, loops: any EventLoops, resolver: any ModuleResolver
    ) {
        self.name = name
        self.logger = logger
        self.metrics = metrics
        self.payloads = payloads
        self.schemas = schemas
        self.loops = loops
        self.resolver = resolver
    }

    /// The database that the config calls so. It is open before the module is.
    public func database(_ reference: ConfigText) -> (any Database)? {
        resolver.database(reference)
    }

    /// The bus that the config calls so. It is open before the module is.
    public func pubSub(_ reference: ConfigText) -> (any PubSub)? {
        resolver.pubSub(reference)
    }

    /// Reports that the text at this place in the config is wrong: the rule broken, what was expected, what to do.
    public func problem(at text: ConfigText, code: String, _ message: String) {
        resolver.problem(at: text, code: code, message)
    }
}

/// Finds what a module's config refers to; the host has one, and tests make their own.
public protocol ModuleResolver {
    /// Nil, with a problem reported, if there is none of that name.
    func database(_ reference: ConfigText) -> (any Database)?
    /// Nil, with a problem reported, if there is none of that name.
    func pubSub(_ reference: ConfigText) -> (any PubSub)?
    func problem(at text: ConfigText, code: String, _ message: String)
}
