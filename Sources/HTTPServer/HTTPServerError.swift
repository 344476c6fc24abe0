/// Why a server does not listen.
package enum HTTPServerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The text is not `host:port`.
    case malformedAddress(String)
    /// The host has no address.
    case unknownHost(ListenAddress, reason: String)
    /// Another process, or another listener of this one, has the port.
    case addressInUse(ListenAddress)
    /// The user may not bind the address or port.
    case permissionDenied(ListenAddress)
    /// The address is not one of this machine.
    case addressNotAvailable(ListenAddress)
    /// The system refused for another reason.
    case system(ListenAddress, call: String, reason: String)
    /// `stop` has been called.
    case stopped(ListenAddress)

    /// A code, the address, and what to do.
    package var description: String {
        switch self {
        case .malformedAddress(let text):
            "http.malformed_address: \"\(text)\" is not an address to listen on; expected host:port, [IPv6]:port or :port, such as 127.0.0.1:8080"
        case .unknownHost(let address, let reason):
            "http.unknown_host: cannot listen on \(address): no address for host \"\(address.host)\" (\(reason)); use an address of this machine"
        case .addressInUse(let address):
            "http.address_in_use: cannot listen on \(address): the port is in use; stop the process that has it (ss -ltnp 'sport = :\(address.port)') or choose another port"
        case .permissionDenied(let address):
            "http.permission_denied: cannot listen on \(address): permission denied; use a port from 1024 on or grant CAP_NET_BIND_SERVICE"
        case .addressNotAvailable(let address):
            "http.address_not_available: cannot listen on \(address): no network interface has this address (see ip address); use one that has, or :\(address.port) for all"
        case .system(let address, let call, let reason):
            "http.listen_failed: cannot listen on \(address): \(call) failed: \(reason)"
        case .stopped(let address):
            "http.server_stopped: cannot listen on \(address): the server has been stopped"
        }
    }
}
