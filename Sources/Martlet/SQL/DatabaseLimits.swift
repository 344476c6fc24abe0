/// Bounds of a ``DatabaseEngine``; all are config fields of its backend.
package struct DatabaseLimits: Sendable {
    let readers: Int
    let writeQueue: Int
    let readQueue: Int

    /// Declares the fields.
    ///
    /// - Parameter readers: what `readers` says.
    package init(from fields: inout ConfigFields, readers summary: String) {
        readers = fields.optional("readers", default: 2, in: 1...64, summary)
        writeQueue = fields.optional(
            "write_queue", default: 10_000, in: 1...1_000_000,
            "Transactions that may wait for the writer; more are refused for now.")
        readQueue = fields.optional(
            "read_queue", default: 1_000, in: 1...1_000_000, "Queries that may wait for a reader; more are refused for now.")
    }
}
