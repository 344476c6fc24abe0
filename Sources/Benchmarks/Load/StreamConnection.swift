import CLinux

/// A connection that holds an event stream.
struct StreamConnection {
    /// Bytes that may be kept of an unfinished marker with its digits.
    static let carryMax = 64

    let socket: Int32
    /// Whether the server's 200 has come.
    var isOpen = false
    var carryCount = 0

    /// Connects and sends the request.
    init(port: UInt16, request: [UInt8]) throws(BenchmarkError) {
        socket = clinux_connect_loopback(port)
        guard socket >= 0 else { throw .system("connect to port \(port)") }
        guard clinux_send(socket, request, request.count) == request.count else { throw .system("send a request") }
        clinux_set_nonblocking(socket)
    }
}
