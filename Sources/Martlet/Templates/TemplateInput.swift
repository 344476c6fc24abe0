/// What templates are evaluated against: a record, or a source's input that is not an event yet.
public struct TemplateInput: Sendable {
    /// JSON, if a template looks into it.
    public var payload: Bytes
    /// Nil before the input is an event.
    public var id: Bytes?
    /// Nil if the event has none.
    public var key: Bytes?
    /// The event's, which go before a request's of the same name.
    public var headers: [Header]
    /// Milliseconds since the Unix epoch.
    public var timestamp: Int64?
    /// Nil before the event is in the log, as are partition and offset.
    public var topic: TopicName?
    public var partition: PartitionID?
    public var offset: Offset?
    /// Path, query, claim and request-header variables.
    public var variables: (any TemplateVariables)?
    /// The columns that the source's `save` returned.
    public var saved: [String: DataValue]

    /// An input without an event, such as a query's request.
    public init(
        payload: Bytes = .empty, headers: [Header] = [], variables: (any TemplateVariables)? = nil,
        saved: [String: DataValue] = [:]
    ) {
        self.payload = payload
        self.headers = headers
        self.variables = variables
        self.saved = saved
    }

    /// An event, at its place if it has one.
    public init(_ event: Event, topic: TopicName? = nil, partition: PartitionID? = nil, offset: Offset? = nil) {
        payload = event.payload
        id = event.id
        key = event.key
        headers = event.headers
        timestamp = event.timestamp
        self.topic = topic
        self.partition = partition
        self.offset = offset
        saved = [:]
    }

    /// A record: an event at its place.
    public init(_ record: Record) {
        self.init(record.event, topic: record.topic, partition: record.partition, offset: record.offset)
    }

    /// An input that is not an event yet; `saved` holds what its `save` returned.
    public init(_ input: SourceInput, saved: [String: DataValue] = [:]) {
        self.init(payload: input.payload, headers: input.headers, variables: input.variables, saved: saved)
        id = input.id
        key = input.key
    }

    /// An event's own header, or a request's.
    func header(_ name: String) -> String? {
        if let header = headers.first(where: { $0.name == name }) { return header.value.string }
        return variables?.value(of: .header, name)
    }
}
