import CLinux

/// One request on a connection of its own.
enum HTTPProbe {
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
