import CEvent

/// A plain blocking TCP client, so that tests control every byte. Each wait ends after ten seconds.
final class TestClient {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    struct Response: Equatable {
        var status = 0
        var headers: [String] = []
        var body = ""

        func header(_ name: String) -> String? {
            headers.first { $0.lowercased().hasPrefix(name.lowercased() + ": ") }.map { String($0.dropFirst(name.count + 2)) }
        }
    }

    private let descriptor: Int32
    private(set) var received: [UInt8] = []
    private var isOpen = true

    /// Connects to 127.0.0.1, or to ::1.
    init(port: UInt16, isIPv6: Bool = false, receiveBufferBytes: Int32? = nil) throws {
        descriptor = socket(isIPv6 ? AF_INET6 : AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(description: "socket failed with errno \(cevent_errno())") }
        if let receiveBufferBytes { _ = cevent_set_option(descriptor, SOL_SOCKET, SO_RCVBUF, receiveBufferBytes) }
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        _ = cevent_set_option(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        let result: Int32
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = in6addr_loopback
            result = cevent_connect(descriptor, &address, socklen_t(MemoryLayout<sockaddr_in6>.size))
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            result = cevent_connect(descriptor, &address, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
        guard result == 0 else { throw Failure(description: "connect to port \(port) failed with errno \(cevent_errno())") }
    }

    deinit {
        close()
    }

    func close() {
        guard isOpen else { return }
        isOpen = false
        CEvent.close(descriptor)
    }

    /// Closes with RST instead of FIN.
    func reset() {
        var now = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Says that nothing more will be sent.
    func endSending() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    func send(_ text: String) throws {
        try send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { CEvent.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard sent > 0 else { throw Failure(description: "send failed with errno \(cevent_errno())") }
            rest = rest.dropFirst(sent)
        }
    }

    /// Receives once; false at the end of the connection.
    @discardableResult
    func receive() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0 {
            if cevent_errno() == ECONNRESET { return false }
            throw Failure(description: "nothing came for 10 s; so far: \(String(decoding: received, as: UTF8.self).debugDescription)")
        }
        received.append(contentsOf: buffer[..<count])
        return count > 0
    }

    /// Receives until `count` bytes are there, and takes them.
    func take(_ count: Int) throws -> String {
        while received.count < count {
            guard try receive() else { throw Failure(description: "the server closed after \(received.count) of \(count) bytes") }
        }
        defer { received.removeFirst(count) }
        return String(decoding: received[..<count], as: UTF8.self)
    }

    /// Receives up to and including `end`, and takes it.
    func takeThrough(_ end: String) throws -> String {
        let wanted = Array(end.utf8)
        while true {
            if let range = received.firstRange(of: wanted) { return try take(range.upperBound) }
            guard try receive() else {
                throw Failure(description: "the server closed before \(end.debugDescription); it sent \(String(decoding: received, as: UTF8.self).debugDescription)")
            }
        }
    }

    /// Takes the head of a response.
    func takeHead() throws -> Response {
        let lines = try takeThrough("\r\n\r\n").dropLast(1).split(separator: "\r\n")
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 "), let status = Int(first.dropFirst(9).prefix(3)) else {
            throw Failure(description: "not a status line: \(lines)")
        }
        return Response(status: status, headers: lines.dropFirst().map(String.init))
    }

    /// Takes a whole response; one to HEAD has no body.
    func takeResponse(toHead: Bool = false) throws -> Response {
        var response = try takeHead()
        guard !toHead, response.status >= 200 else { return response }
        if let length = response.header("Content-Length").flatMap({ Int($0) }) {
            response.body = try take(length)
        } else if response.header("Transfer-Encoding") == "chunked" {
            while let chunk = try takeChunk() { response.body += chunk }
        }
        return response
    }

    /// Takes one chunk; nil for the last.
    func takeChunk() throws -> String? {
        let size = try takeThrough("\r\n").dropLast(1)
        guard let count = Int(size, radix: 16) else { throw Failure(description: "not a chunk size: \(size)") }
        let payload = try take(count)
        guard try take(2) == "\r\n" else { throw Failure(description: "no CRLF behind a chunk") }
        return count == 0 ? nil : payload
    }

    /// Receives until the server closes. Returns what came.
    func takeToEnd() throws -> String {
        while try receive() {}
        defer { received = [] }
        return String(decoding: received, as: UTF8.self)
    }

    func get(_ target: String, _ fields: String = "") throws -> Response {
        try send("GET \(target) HTTP/1.1\r\nHost: x\r\n\(fields)\r\n")
        return try takeResponse()
    }
}
