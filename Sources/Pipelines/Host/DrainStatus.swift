package import Martlet

/// How far a host is drained: whether a database may be taken away from under it.
package struct DrainStatus: Sendable {
    /// The outbox of one database that sources save to.
    package struct Outbox: Sendable {
        package let database: String
        /// Events of this host; nil if the database does not answer.
        package let own: Int?
        /// Events of other hosts that share the database.
        package let others: Int?
        package let error: ModuleError?

        package var isEmpty: Bool { own == 0 && others == 0 }
    }

    /// Whether the sources take nothing new.
    package let isDraining: Bool
    /// Inputs taken before, and not answered yet.
    package let underWay: Int
    package let outboxes: [Outbox]

    /// Whether nothing waits any more, and nothing new can come from this host.
    package var isDrained: Bool { isDraining && underWay == 0 && outboxes.allSatisfy(\.isEmpty) }
}
