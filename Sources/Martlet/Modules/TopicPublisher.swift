/// Publishes a module's own events, such as that a webhook endpoint was disabled, to a topic of the log.
public protocol TopicPublisher: Sendable {
    /// Appends events. Returns when the log has acknowledged them, as durable as configured.
    ///
    /// - Throws: a ``ModuleError``; a transient one may pass.
    func publish(_ events: [Event]) async throws
}
