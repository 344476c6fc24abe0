/// What a connection is for.
package enum ConnectionRole: Sendable {
    /// Brings the schema up to date and then writes.
    case firstWriter
    case writer
    case reader
}

/// A backend's connection, made and used by one thread of a ``DatabaseEngine``, which closes it by letting it go.
package protocol BackendConnection: AnyObject, SendableMetatype {
    /// The connection must not be used again: it broke, or what it leads to was replaced.
    var isSpoiled: Bool { get }

    /// Begins a transaction.
    func begin() throws(ModuleError)

    /// Runs `body` in the transaction that was begun, and commits; rolls back if it throws or a statement of it failed.
    func complete(_ body: (any DatabaseConnection) throws -> Void) throws(ModuleError)

    /// Reads rows, at most `limit`.
    func query(
        _ statement: SQLStatement, _ parameters: [DataValue], limit: Int, _ cancellation: Cancellation
    ) throws(ModuleError) -> QueryResult
}
