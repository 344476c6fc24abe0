import Foundation
import Glibc
import Synchronization

/// An HTTP server on a real socket of loopback that keeps what it got and answers as a test says. A thread a connection.
package final class ScriptedServer: Sendable {
    /// What came.
    package struct Request: Sendable {
        package let method: String
        package let path: String
        /// By lower-case name.
        package let headers: [String: String]
        package let body: String
        /// All of it, as it came.
        package let text: String

        /// The header of Standard Webhooks.
        package var webhookID: String { headers["webhook-id"] ?? "" }
    }

    /// What is answered.
    package enum Reply: Sendable {
        case status(Int, headers: String = "", body: String = "")
        /// Bytes as they are; then the connection is closed.
        case raw(String)
        /// Bytes as they are; the connection stays open.
        case open(String)
        /// Closes without an answer.
        case close
        /// Never answers.
        case silence
        /// Says that it has 10 GiB, and sends as long as somebody reads.
        case endless
        /// Begins an answer of 1000 bytes, and sends one a second.
        case trickle
    }

    package let port: Int
    private let listener: Int32
    private let pause: Duration
    private let reply: @Sendable (Request) -> Reply

    private struct State {
        var requests: [Request] = []
        var connections = 0
        var sent = 0
        var silent: Set<Int32> = []
    }

    private let state = Mutex(State())

    /// - Parameters:
    ///   - address: where it listens; `0.0.0.0` for every address of this machine.
    ///   - pause: how long each answer takes.
    package init(
        on address: String = "127.0.0.1", pause: Duration = .zero, _ reply: @escaping @Sendable (Request) -> Reply = { _ in .status(200) }
    ) {
        self.pause = pause
        self.reply = reply
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, address, &place.sin_addr)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isListening = withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, size) == 0 && listen(descriptor, 1_024) == 0 && getsockname(descriptor, generic, &size) == 0
            }
        }
        precondition(isListening, "no listener on loopback")
        port = Int(UInt16(bigEndian: place.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { return }
                state.withLock { $0.connections += 1 }
                Thread.detachNewThread { [self] in serve(connection) }
            }
        }
    }

    package var url: String { "http://127.0.0.1:\(port)" }
    package var requests: [Request] { state.withLock { $0.requests } }
    package var requestCount: Int { state.withLock { $0.requests.count } }
    package var connections: Int { state.withLock { $0.connections } }
    /// Bytes of endless answers that the other side took.
    package var sent: Int { state.withLock { $0.sent } }

    /// Refuses connections from now on, and ends those that wait for an answer.
    package func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
        state.withLock { state in
            for connection in state.silent { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    /// A port that nobody uses at the moment.
    package static func freePort() -> Int {
        let server = ScriptedServer()
        server.close()
        return server.port
    }

    private func serve(_ connection: Int32) {
        defer { Glibc.close(connection) }
        while let request = Self.read(connection) {
            state.withLock { $0.requests.append(request) }
            if pause > .zero { Thread.sleep(forTimeInterval: pause / .seconds(1)) }
            guard answer(reply(request), on: connection) else { return }
        }
    }

    /// False if the connection is to be closed.
    private func answer(_ reply: Reply, on connection: Int32) -> Bool {
        switch reply {
        case .status(let status, let headers, let body):
            return Self.send("HTTP/1.1 \(status) X\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)", connection)
        case .raw(let text):
            _ = Self.send(text, connection)
            return false
        case .open(let text): return Self.send(text, connection)
        case .close: return false
        case .silence:
            state.withLock { _ = $0.silent.insert(connection) }
            var byte: UInt8 = 0
            while recv(connection, &byte, 1, 0) > 0 {}
            state.withLock { _ = $0.silent.remove(connection) }
            return false
        case .endless:
            guard Self.send("HTTP/1.1 200 OK\r\nContent-Length: \(10 << 30)\r\n\r\n", connection) else { return false }
            let piece = String(repeating: "x", count: 65_536)
            while Self.send(piece, connection) { state.withLock { $0.sent += piece.utf8.count } }
            return false
        case .trickle:
            guard Self.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", connection) else { return false }
            while Self.send("x", connection) {
                state.withLock { $0.sent += 1 }
                Thread.sleep(forTimeInterval: 1)
            }
            return false
        }
    }

    private static func send(_ text: String, _ connection: Int32) -> Bool {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return false }
            bytes = bytes.dropFirst(count)
        }
        return true
    }

    /// A head, and as much body as its Content-Length says. Nobody sends a second request before the answer.
    private static func read(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let place = bytes.firstRange(of: end) {
                let lines = String(decoding: bytes[..<place.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    let parts = line.split(separator: ":", maxSplits: 1)
                    headers[parts[0].lowercased()] = parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""
                }
                let length = headers["content-length"].flatMap { Int($0) } ?? 0
                if bytes.count - place.upperBound >= length {
                    let words = lines[0].split(separator: " ")
                    return Request(
                        method: String(words[0]), path: String(words[1]), headers: headers,
                        body: String(decoding: bytes[place.upperBound..<place.upperBound + length], as: UTF8.self),
                        text: String(decoding: bytes[..<(place.upperBound + length)], as: UTF8.self))
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            if count <= 0 { return nil }
            bytes += buffer[..<count]
        }
    }
}
