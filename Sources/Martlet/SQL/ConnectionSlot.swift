/// A thread's connection, made when the thread first needs it, and again after it was spoiled.
///
/// After a failure to connect, the next try waits for a while that doubles up to two seconds; jobs that come in between
/// fail at once with the same error, so that a queue drains quickly while a server is away.
package final class ConnectionSlot<Connection: BackendConnection>: @unchecked Sendable {
    // Unchecked: only the thread that the slot belongs to touches it.
    private static var firstPause: Duration { .milliseconds(100) }
    private static var longestPause: Duration { .seconds(2) }

    private var current: Connection?
    private var failure: (error: ModuleError, until: ContinuousClock.Instant, pause: Duration)?
    private let connect: @Sendable () throws(ModuleError) -> Connection

    package init(connect: @escaping @Sendable () throws(ModuleError) -> Connection) {
        self.connect = connect
    }

    /// The connection, and whether it was used before.
    package func connection() throws(ModuleError) -> (connection: Connection, isReused: Bool) {
        if let current, !current.isSpoiled { return (current, true) }
        current = nil
        let clock = ContinuousClock()
        if let failure, clock.now < failure.until { throw failure.error }
        do {
            let made = try connect()
            current = made
            failure = nil
            return (made, false)
        } catch {
            let pause = min(Self.longestPause, failure.map { $0.pause * 2 } ?? Self.firstPause)
            // Hosts that lost the same server do not come back in step.
            failure = (error, clock.now + pause * Double.random(in: 0.5...1), pause)
            throw error
        }
    }

    /// Puts in a connection that was made elsewhere on the thread.
    package func adopt(_ connection: Connection) {
        current = connection
        failure = nil
    }

    package func drop() {
        current = nil
    }
}
