import Foundation
import Glibc
import Synchronization

/// One keep-alive connection; its calls block, so use it on a thread of its own.
package final class HTTPConnection: @unchecked Sendable {
    // Unchecked: one thread reads and writes; `abort` may come from another, and the lock keeps it off a number that
    // was closed and belongs to somebody else by now.
    private let descriptor: Int32
    private var received: [UInt8] = []
    private let isClosed = Mutex(false)

    /// - Parameter address: `127.0.0.1:8080`.
    package init(_ address: String, timeoutSeconds: Int = 60) throws {
        let parts = address.split(separator: ":")
        guard parts.count == 2, let port = UInt16(parts[1]) else { throw TestFailure("no address: \(address)") }
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Self.failure("socket") }
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        inet_pton(AF_INET, String(parts[0]), &name.sin_addr)
        let code = withUnsafePointer(to: &name) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            let error = Self.failure("connect to \(address)")
            close()
            throw error
        }
        var on: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        var timeout = timeval(tv_sec: timeoutSeconds, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close() }

    package func close() {
        isClosed.withLock { isClosed in
            if !isClosed { Glibc.close(descriptor) }
            isClosed = true
        }
    }

    /// Ends a read that another thread is blocked in.
    package func abort() {
        isClosed.withLock { isClosed in
            if !isClosed { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }

    package func request(_ method: String, _ path: String, headers: [String] = [], body: String? = nil) throws -> HTTPAnswer {
        try send(Self.text(method, path, headers: headers, body: body))
        return try readAnswer()
    }

    /// One request on a connection of its own.
    package static func request(
        _ method: String, _ path: String, to address: String, headers: [String] = [], body: String? = nil
    ) async throws -> HTTPAnswer {
        try await onThread {
            let connection = try HTTPConnection(address)
            defer { connection.close() }
            return try connection.request(method, path, headers: headers, body: body)
        }
    }

    /// A whole request as text.
    package static func text(_ method: String, _ path: String, headers: [String] = [], body: String? = nil) -> String {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: test\r\n"
        for header in headers { text += header + "\r\n" }
        if let body { text += "Content-Length: \(body.utf8.count)\r\n" }
        return text + "\r\n" + (body ?? "")
    }

    package func send(_ text: String) throws {
        var text = text
        try text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
                guard count > 0 else { throw Self.failure("send") }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
            }
        }
    }

    /// The next response; the head of an interim one (100) counts as a response without a body.
    package func readAnswer() throws -> HTTPAnswer {
        let (status, headers) = try readHead()
        if status == 204 || status == 304 || status < 200 { return HTTPAnswer(status: status, headers: headers, body: "") }
        var body: [UInt8] = []
        if headers["transfer-encoding"] == "chunked" {
            while let chunk = try readChunk() { body += chunk }
        } else if let length = headers["content-length"].flatMap({ Int($0) }) {
            body = try read(length)
        } else {
            while try fill() {}
            body = received
            received = []
        }
        return HTTPAnswer(status: status, headers: headers, body: String(decoding: body, as: UTF8.self))
    }

    package func readHead() throws -> (status: Int, headers: [String: String]) {
        let statusLine = try readLine()
        let words = statusLine.split(separator: " ")
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else {
            throw TestFailure("no status line: \(statusLine)")
        }
        var headers: [String: String] = [:]
        while true {
            let line = try readLine()
            if line.isEmpty { return (status, headers) }
            guard let colon = line.firstIndex(of: ":") else { throw TestFailure("no header: \(line)") }
            headers[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
    }

    /// The next chunk of a chunked body; nil at its end.
    package func readChunk() throws -> [UInt8]? {
        let line = try readLine()
        guard let size = Int(line.prefix { $0 != ";" }, radix: 16) else { throw TestFailure("no chunk size: \(line)") }
        let chunk = try read(size)
        guard try readLine().isEmpty else { throw TestFailure("a chunk is longer than its size") }
        return size == 0 ? nil : chunk
    }

    /// Whether the other side has closed and nothing more came.
    package func isAtEnd() throws -> Bool {
        try received.isEmpty && !fill()
    }

    private func readLine() throws -> String {
        var searched = 0
        while true {
            if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = received[..<end]
                let text = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
                received.removeFirst(end + 1)
                return text
            }
            searched = received.count
            guard try fill() else { throw TestFailure("the host closed the connection") }
        }
    }

    private func read(_ count: Int) throws -> [UInt8] {
        while received.count < count {
            guard try fill() else { throw TestFailure("the host closed the connection in a body") }
        }
        defer { received.removeFirst(count) }
        return Array(received[..<count])
    }

    /// False at the end.
    private func fill() throws -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count >= 0 else { throw Self.failure("receive") }
        received += buffer[..<count]
        return count > 0
    }

    private static func failure(_ action: String) -> TestFailure {
        TestFailure("cannot \(action): \(String(cString: strerror(errno)))")
    }
}
