/// A module that brings events in.
///
/// What happens to an input (transforms, `save`, `publish`) belongs to the platform: the source hands it to the
/// ``Intake`` and answers its producer with the outcome.
public protocol EventSource: Module {
    /// The variables that this source's inputs offer to templates beside the payload.
    var templateVariables: Set<TemplateVariableKind> { get }

    /// Starts to bring inputs to `intake`. A source that serves HTTP does so through ``RouteProviding``.
    func open(intake: any Intake) async throws

    /// Stops bringing inputs in, lets those under way finish, releases everything.
    func close() async
}

/// Where a source's inputs go: transforms, save, publish, as configured.
public protocol Intake: Sendable {
    /// Takes inputs over and calls `completion` once with an outcome for each, in order, on any thread.
    /// Never blocks: a full queue is an outcome.
    func accept(_ inputs: [SourceInput], completion: @escaping @Sendable ([IntakeOutcome]) -> Void)
}

/// One input of a source, before it is an event.
public struct SourceInput: Sendable {
    public var payload: Bytes
    public var headers: [Header]
    /// The event's id unless `publish.id` says otherwise: for inputs that have one of their own, so that one which comes
    /// again can be told. Nil for a new UUIDv7.
    public var id: Bytes?
    /// The event's key unless `publish.key` says otherwise.
    public var key: Bytes?
    /// Path, query and claim variables of an HTTP request; nil for other sources.
    public var variables: (any TemplateVariables)?
    /// Makes a repeated input safe: the same key and body get the first answer again.
    public var idempotencyKey: String?
    /// Whose key that is: two callers may use the same one. Nil where callers are not known.
    public var callerScope: String?
    /// What came, where transforms have made ``payload`` of it: two inputs are the same if that is.
    package var received: Bytes?

    public init(
        payload: Bytes, headers: [Header] = [], id: Bytes? = nil, key: Bytes? = nil,
        variables: (any TemplateVariables)? = nil, idempotencyKey: String? = nil
    ) {
        self.payload = payload
        self.headers = headers
        self.id = id
        self.key = key
        self.variables = variables
        self.idempotencyKey = idempotencyKey
    }
}

/// What became of an input.
public enum IntakeOutcome: Sendable {
    /// Saved in the database, and its event is in the outbox. `saved` holds the columns of `RETURNING`.
    case saved(id: Bytes, saved: [String: DataValue])
    /// The save changed nothing (a repeated like), so nothing was published.
    case unchanged
    /// The log has acknowledged the event.
    case published(id: Bytes, topic: TopicName, partition: PartitionID, offset: Offset)
    /// A bus has taken the event, and nothing keeps it.
    case sent(id: Bytes)
    /// A transform dropped it.
    case filtered
    /// The input is at fault; trying again cannot help.
    case rejected(ModuleError)
    /// A dependency is away or a queue is full; try again after the given time.
    case unavailable(ModuleError, retryAfter: Duration)
    /// The same idempotency key came with another body.
    case conflict
}
