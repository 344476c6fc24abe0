/// Carries a connection away from its loop and back, to be used on the loop only.
struct ConnectionHandle: @unchecked Sendable {
    // Unchecked: elsewhere the reference is only held.
    let connection: Connection

    init(_ connection: Connection) {
        self.connection = connection
    }
}
