/// A module's failure, which says whether trying again can help.
public struct ModuleError: Error, Sendable, CustomStringConvertible {
    /// What the runtime does about a failure.
    public enum Kind: String, Sendable {
        /// Connection refused, busy, timeout: retried for ever with backoff; the partition waits.
        case transient
        /// The record's own data is at fault: that one record is dead-lettered.
        case permanent
        /// Missing table, permission, wrong credentials: the operator's to mend. Holds the group; never dead-letters.
        case blocked
    }

    public let kind: Kind
    /// A stable code to search for, such as `sqlite.constraint`.
    public let code: String
    /// What went wrong, where, and what to do.
    public let message: String
    /// The least wait before the next try, when the other side asked for one.
    public let retryAfter: Duration?
    /// Whether a transaction gave way to another one: nothing of it stands, and it can be run again at once.
    public let isConflict: Bool

    public init(_ kind: Kind, code: String, _ message: String, retryAfter: Duration? = nil) {
        self.init(kind, code: code, message, retryAfter: retryAfter, isConflict: false)
    }

    private init(_ kind: Kind, code: String, _ message: String, retryAfter: Duration?, isConflict: Bool) {
        self.kind = kind
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.isConflict = isConflict
    }

    /// An error that may pass; see ``Kind/transient``.
    public static func transient(_ code: String, _ message: String, retryAfter: Duration? = nil) -> ModuleError {
        ModuleError(.transient, code: code, message, retryAfter: retryAfter)
    }

    /// A transient error of a transaction that gave way to another one (a deadlock, a serialization failure); see ``isConflict``.
    public static func conflict(_ code: String, _ message: String) -> ModuleError {
        ModuleError(.transient, code: code, message, retryAfter: nil, isConflict: true)
    }

    /// An error of the record itself; see ``Kind/permanent``.
    public static func permanent(_ code: String, _ message: String) -> ModuleError {
        ModuleError(.permanent, code: code, message)
    }

    /// An error that the operator has to mend; see ``Kind/blocked``.
    public static func blocked(_ code: String, _ message: String) -> ModuleError {
        ModuleError(.blocked, code: code, message)
    }

    public var description: String { "\(message) [\(code)]" }
}
