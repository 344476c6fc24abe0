public import Martlet

/// Stands in for the host at validation: makes modules from JSON, with the databases and buses that a test gives.
///
/// ```swift
/// let host = TestHost(payloads: SimdjsonPayloadReader(), databases: ["main": database])
/// let sink = try host.make(TableSink.self, #"{"database": "main", "table": "likes", "columns": {"id": "${@id}"}}"#)
/// ```
public final class TestHost: ModuleResolver {
    /// What modules reported, in the order of the file.
    public var problems: [ConfigProblem] { reported.sorted }
    /// What modules counted.
    public let metrics = MetricsRegistry()

    private let reported: ConfigProblems
    private let baseDirectory: String
    private let dataDirectory: String
    private let payloads: any PayloadReader
    private let schemas: any SchemaCompiler
    private let loops: any EventLoops
    private let http: any OutgoingHTTP
    private let databases: [String: any Database]
    private let pubSubs: [String: any PubSub]
    private let topics: [String: any TopicPublisher]
    private let hostID: String
    private let logger: Logger

    /// - Parameters:
    ///   - baseDirectory: where relative paths in configs start.
    ///   - dataDirectory: where modules keep what must survive a restart.
    ///   - payloads: reads JSON payloads; without it templates that look into one fail.
    ///   - schemas: compiles JSON Schemas; without it none compiles.
    ///   - loops: without it there are none.
    ///   - http: without it no client can be made.
    public init(
        baseDirectory: String = "", dataDirectory: String = "", payloads: any PayloadReader = MissingPayloadReader(),
        schemas: any SchemaCompiler = MissingSchemaCompiler(), loops: any EventLoops = MissingEventLoops(),
        http: any OutgoingHTTP = MissingOutgoingHTTP(), databases: [String: any Database] = [:], pubSubs: [String: any PubSub] = [:],
        topics: [String: any TopicPublisher] = [:], hostID: String = "test-host", log: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.baseDirectory = baseDirectory
        self.dataDirectory = dataDirectory
        self.payloads = payloads
        self.schemas = schemas
        self.loops = loops
        self.http = http
        self.databases = databases
        self.pubSubs = pubSubs
        self.topics = topics
        self.hostID = hostID
        reported = ConfigProblems(file: "config.json")
        logger = Logger(output: LogOutput(minimum: .debug, format: .text, sink: log))
    }

    /// Decodes and validates a module.
    ///
    /// - Parameters:
    ///   - reserved: the platform's keys, which the module does not read; see ``ModuleKind/reservedKeys``.
    ///   - access: what the config would say of the module's callers.
    /// - Throws: a ``ConfigError`` with all problems, as the user would see them.
    public func make<Made: Module>(
        _ type: Made.Type, _ json: String, name: String = "test", reserved: [String] = ["type"],
        access: RequestAccess = .anonymous
    ) throws(ConfigError) -> Made {
        let problems = ConfigProblems(file: "config.json")
        let config = JSONReader.read(json, problems: problems).flatMap {
            Made.Config.decode($0, path: .root, problems: problems, keys: .strict(reserved: reserved))
        }
        try problems.throwIfAny()
        let module = config.flatMap { Made(config: $0, context: context(named: name, access: access)) }
        try reported.throwIfAny()
        guard let module else {
            preconditionFailure("\(Made.self).init returned nil without reporting a problem")
        }
        return module
    }

    /// What a module gets at validation.
    public func context(named name: String, access: RequestAccess = .anonymous) -> ModuleContext {
        ModuleContext(
            name: name, baseDirectory: baseDirectory, logger: logger, metrics: metrics, payloads: payloads,
            schemas: schemas, loops: loops, http: http, dataDirectory: dataDirectory, access: access,
            hostID: { [hostID] in hostID }, resolver: self)
    }

    /// See ``ModuleResolver``.
    public func database(_ reference: ConfigText) -> (any Database)? {
        if let database = databases[reference.plain] { return database }
        reported.reportUnknown("database", reference, among: databases.keys.sorted(), title: "databases")
        return nil
    }

    /// See ``ModuleResolver``.
    public func pubSub(_ reference: ConfigText) -> (any PubSub)? {
        if let pubSub = pubSubs[reference.plain] { return pubSub }
        reported.reportUnknown("pub/sub", reference, among: pubSubs.keys.sorted(), title: "pub/sub buses")
        return nil
    }

    /// See ``ModuleResolver``.
    public func topic(_ reference: ConfigText) -> (any TopicPublisher)? {
        if let topic = topics[reference.plain] { return topic }
        reported.reportUnknown("topic", reference, among: topics.keys.sorted(), title: "topics")
        return nil
    }

    /// Keeps the problem.
    public func problem(at place: ConfigPlace, code: ConfigProblem.Code, _ message: String) {
        reported.report(code, at: place, message)
    }
}
