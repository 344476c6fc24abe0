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
        send("GET", port: port, path: path).status
    }

    /// The whole answer; status 0 if there was none.
    static func send(
        _ method: String, port: UInt16, path: String, type: String? = nil, body: [UInt8] = []
    ) -> (status: Int, body: String) {
        let socket = clinux_connect_loopback(port)
        guard socket >= 0 else { return (0, "") }
        defer { close(socket) }
        let type = type.map { "Content-Type: \($0)\r\n" } ?? ""
        let head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\(type)Content-Length: \(body.count)\r\n\r\n"
        guard sendAll(Array(head.utf8) + body, to: socket) else { return (0, "") }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer += buffer[..<count]
        }
        guard answer.count > 12, let end = answer.firstRange(of: Array("\r\n\r\n".utf8)) else { return (0, "") }
        let status = answer.withUnsafeBytes { ResponseScanner.number($0, from: 9) }
        return (status, String(decoding: answer[end.upperBound...], as: UTF8.self))
    }

    private static func sendAll(_ bytes: [UInt8], to socket: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { clinux_send(socket, $0.baseAddress, $0.count) }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
