/// A module that maps, filters or fans out records, in a group or a source.
public protocol Transform: Module {
    /// Whether the result for one record depends on others. Such a transform is refused where streams are replayed.
    static var isStateful: Bool { get }

    /// Whether it may stand in a source, where its records have no place in the log yet, and what it lets through may still
    /// be refused and come again.
    static var runsInSources: Bool { get }

    /// Whether a record that comes out has the key of the one that went in. A group whose transforms change keys cannot
    /// be replayed for one key, since the log is searched by the key that it has.
    var keepsKey: Bool { get }

    /// Connects, for a transform that has something outside. Transient and blocked ``ModuleError``s are tried again with
    /// backoff.
    func open() async throws

    /// One result for each record, in order. Throws only if the whole batch failed alike (transient or blocked).
    func apply(to batch: [Record]) async throws -> [TransformResult]

    func close() async
}

/// What a transform made of one record.
public enum TransformResult: Sendable {
    case keep(Record)
    case drop
    /// Several records in place of one; the runtime numbers their `index`.
    case split([Record])
    case fail(ModuleError)
}

extension Transform {
    public static var isStateful: Bool { false }
    public static var runsInSources: Bool { true }
    public var keepsKey: Bool { true }
    public func open() async throws {}
    public func close() async {}
}
