/// The timeouts of a server in the loop's milliseconds, and the rule which of them applies to a connection.
struct ConnectionDeadlines {
    let headerMs: UInt64
    let bodyMs: UInt64
    let idleMs: UInt64
    let writeStallMs: UInt64
    let lingerMs: UInt64
    let bodyProgressBytesMin: Int

    init(_ settings: HTTPServerSettings) {
        headerMs = UInt64(settings.headerTimeout.wholeMilliseconds)
        bodyMs = UInt64(settings.bodyTimeout.wholeMilliseconds)
        idleMs = UInt64(settings.idleTimeout.wholeMilliseconds)
        writeStallMs = UInt64(settings.writeStallTimeout.wholeMilliseconds)
        lingerMs = UInt64(settings.lingerTimeout.wholeMilliseconds)
        bodyProgressBytesMin = settings.bodyProgressBytesMin
    }

    func next(for connection: Connection) -> UInt64 {
        if connection.state == .lingering { return connection.lingerUntilMs }
        if !connection.output.isEmpty { return connection.writeProgressMs + writeStallMs }
        if connection.stream != nil || connection.inFlightCount > 0 { return .max }
        if connection.parser.isInsideBody { return connection.bodyWindowStartMs + bodyMs }
        if connection.parser.isInsideRequest { return connection.headStartMs + headerMs }
        return connection.loop.nowMs + idleMs
    }
}
