/// Why a command could not talk to a host, or what the host said against it.
struct ClientError: Error, Sendable, CustomStringConvertible {
    let description: String
    /// The status of the host's answer; nil if there was none.
    var status: Int?

    init(_ description: String, status: Int? = nil) {
        self.description = description
        self.status = status
    }
}
