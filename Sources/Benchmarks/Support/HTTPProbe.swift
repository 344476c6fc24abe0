import CLinux

/// One request on a connection of its own.
enum HTTPProbe {
    /// The status of a POST; 0 if there was no answer.
    static func post(port: UInt16, path: String, type: String, body: [UInt8]) -> Int {
        let head = "POST \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n\r\n"
        let socket = clinux_connect_loopback(port)
        guard socket >= 0 else { return 0 }
        defer { close(socket) }
        var rest = (Array(head.utf8) + body)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { clinux_send(socket, $0.baseAddress, $0.count) }
            guard count > 0 else { return 0 }
            rest = rest.dropFirst(count)
        }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket, &answer, answer.count, 0)
        guard count > 12 else { return 0 }
        return answer.withUnsafeBytes { ResponseScanner.number(UnsafeRawBufferPointer(rebasing: $0[..<count]), from: 9) }
    }

    /// The status of a GET; 0 if there was no answer.
    static func status(port: UInt16, path: String) -> Int {
        let socket = clinux_connect_loopback(port)
        guard socket >= 0 else { return 0 }
        defer { close(socket) }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8)
        guard clinux_send(socket, request, request.count) == request.count else { return 0 }
        var answer = [UInt8](repeating: 0, count: 4096)
        let count = recv(socket, &answer, answer.count, 0)
        guard count > 12 else { return 0 }
        return answer.withUnsafeBytes { ResponseScanner.number(UnsafeRawBufferPointer(rebasing: $0[..<count]), from: 9) }
    }
}
