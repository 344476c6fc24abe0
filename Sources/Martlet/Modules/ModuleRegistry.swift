/// The modules that a config can name. A value: filled by one explicit list and passed to the host.
public struct ModuleRegistry: Sendable {
    package internal(set) var sources: [ModuleFactory<any EventSource>] = []
    package internal(set) var transforms: [ModuleFactory<any Transform>] = []
    package internal(set) var sinks: [ModuleFactory<any Sink>] = []
    package internal(set) var channels: [ModuleFactory<any DeliveryChannel>] = []
    package internal(set) var databases: [ModuleFactory<any Database>] = []
    package internal(set) var pubSubs: [ModuleFactory<any PubSub>] = []
    package private(set) var authenticators: [ModuleFactory<any Authenticator>] = []
    package private(set) var logs: [ModuleFactory<any SharedLog>] = []

    public init() {}

    /// Adds a source; throws if its name is taken or a field of it is a key of the platform.
    public mutating func register<M: EventSource>(source type: M.Type) throws(RegistrationError) {
        try Self.add(type, kind: .source, to: &sources) { $0 }
    }

    /// Adds a transform; throws if its name is taken or a field of it is a key of the platform.
    public mutating func register<M: Transform>(transform type: M.Type) throws(RegistrationError) {
        try Self.add(type, kind: .transform, to: &transforms) { $0 }
    }

    /// Adds a sink; throws if its name is taken or a field of it is a key of the platform.
    public mutating func register<M: Sink>(sink type: M.Type) throws(RegistrationError) {
        try Self.add(type, kind: .sink, to: &sinks) { $0 }
    }

    /// Adds a channel; throws if its name is taken or a field of it is a key of the platform.
    public mutating func register<M: DeliveryChannel>(channel type: M.Type) throws(RegistrationError) {
        try Self.add(type, kind: .channel, to: &channels) { $0 }
    }

    /// Adds a database; throws if its name is taken or a field of it is a key of the platform.
    public mutating func register<M: Database>(database type: M.Type) throws(RegistrationError) {
        try Self.add(type, kind: .database, to: &databases) { $0 }
    }

    /// Adds a pub/sub bus; throws if its name is taken or a field of it is a key of the platform.
    public mutating func register<M: PubSub>(pubSub type: M.Type) throws(RegistrationError) {
        try Self.add(type, kind: .pubsub, to: &pubSubs) { $0 }
    }

    /// Adds a verifier of callers; throws if its name is taken or a field of it is a key of the platform.
    public mutating func register<M: Authenticator>(authenticator type: M.Type) throws(RegistrationError) {
        try Self.add(type, kind: .auth, to: &authenticators) { $0 }
    }

    /// Adds a log that hosts share; throws if its name is taken or a field of it is a key of the platform.
    public mutating func register<M: SharedLog>(log type: M.Type) throws(RegistrationError) {
        try Self.add(type, kind: .log, to: &logs) { $0 }
    }

    private static func add<M: Module, Instance>(
        _ type: M.Type, kind: ModuleKind, to factories: inout [ModuleFactory<Instance>],
        upcast: @escaping @Sendable (M) -> Instance
    ) throws(RegistrationError) {
        if let existing = factories.first(where: { $0.name == M.name }) {
            throw RegistrationError(
                "\(kind.rawValue) `\(M.name)` is registered twice, by \(existing.typeName) and \(M.self); rename one")
        }
        if kind.platformTypes.contains(M.name) {
            throw RegistrationError("\(kind.rawValue) `\(M.name)` (\(M.self)) has the name of one of the platform's own; rename it")
        }
        let fields = M.Config.describe()
        if let taken = fields.first(where: { kind.reservedKeys.contains($0.name) }) {
            throw RegistrationError(
                "\(kind.rawValue) `\(M.name)` (\(M.self)) has a field `\(taken.name)`, which the platform reads itself; "
                    + "rename the field")
        }
        factories.append(
            ModuleFactory(
                name: M.name, summary: M.summary, typeName: "\(M.self)", fields: fields, takesRequests: type is any RouteProviding.Type,
                supportsDeduplication: (type as? any SharedLog.Type)?.supportsDeduplication ?? false,
                make: { node, path, problems, context in
                    let keys = ConfigFields.Keys.strict(reserved: kind.reservedKeys)
                    if let config = M.Config.decode(node, path: path, problems: problems, keys: keys) {
                        return M(config: config, context: context).map(upcast)
                    }
                    // Its templates and statements are checked all the same, so that all problems are told at once.
                    if let rest = M.Config.decodeRest(node, path: path, keys: keys) {
                        _ = M(config: rest, context: context.reportingSingleValues)
                    }
                    return nil
                }))
    }
}

/// A module that cannot be registered.
public struct RegistrationError: Error, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Makes modules of one registered type.
package struct ModuleFactory<Instance: Sendable>: Sendable {
    package let name: String
    package let summary: String
    /// The Swift type, for messages.
    package let typeName: String
    package let fields: [FieldDescription]
    /// Whether its modules may serve HTTP routes.
    package let takesRequests: Bool
    /// Whether it is a log that keeps an event id's window; see ``SharedLog/supportsDeduplication``.
    package let supportsDeduplication: Bool
    /// Decodes and validates; nil if problems were reported.
    package let make: @Sendable (JSONNode, ConfigPath, ConfigProblems, ModuleContext) -> Instance?
}
