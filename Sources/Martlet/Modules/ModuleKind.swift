/// The kinds of modules that a config names by `type`.
public enum ModuleKind: String, Sendable, CaseIterable {
    case source, transform, sink, channel, database, pubsub, auth, log

    /// The keys that the platform reads from a module's object; a module's own fields may not use them.
    public var reservedKeys: [String] {
        switch self {
        case .source: ["type", "auth", "require", "transforms", "save", "publish"]
        case .channel: ["type", "auth", "require", "ticket_seconds", "subscribe", "replay"]
        case .transform, .sink, .database, .pubsub, .auth, .log: ["type"]
        }
    }

    /// The types of this kind that are no modules, so that no module may have their names.
    package var platformTypes: [String] {
        self == .log ? ["embedded", "remote"] : []
    }
}
