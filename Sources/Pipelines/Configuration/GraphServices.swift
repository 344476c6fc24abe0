package import Martlet

/// What the host lends to the modules of a graph.
package struct GraphServices: Sendable {
    package internal(set) var registry: ModuleRegistry
    package let logger: Logger
    package let metrics: MetricsRegistry
    package let payloads: any PayloadReader
    package let schemas: any SchemaCompiler
    package let loops: any EventLoops
    /// Clients for requests to the outside.
    package internal(set) var http: any OutgoingHTTP = HTTPClients()
    /// The log that the pipelines use; it need not be open yet.
    package let log: any EventLog
    /// Names this host and its data folder in outboxes.
    package let identity: HostIdentity
    /// Whether the groups run here. They run where the log is; elsewhere they are validated, and replayed by channels.
    package let runsGroups: Bool
    /// Set if hosts share the log, and so the partitions of the groups.
    package let sharedLog: SharedLogRunner?
    /// Lets inputs into the sources.
    package let intake: IntakeGate
    /// Given out and taken at the routes of channels.
    package let tickets: Tickets

    package init(
        registry: ModuleRegistry, logger: Logger, metrics: MetricsRegistry, payloads: any PayloadReader,
        schemas: any SchemaCompiler, loops: any EventLoops, log: any EventLog, identity: HostIdentity, runsGroups: Bool = true,
        sharedLog: SharedLogRunner? = nil, intake: IntakeGate = IntakeGate(), tickets: Tickets = Tickets(secret: nil)
    ) {
        self.registry = registry
        self.logger = logger
        self.metrics = metrics
        self.payloads = payloads
        self.schemas = schemas
        self.loops = loops
        self.log = log
        self.identity = identity
        self.runsGroups = runsGroups
        self.sharedLog = sharedLog
        self.intake = intake
        self.tickets = tickets
    }
}
