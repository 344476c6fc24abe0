import Foundation
import Glibc
import Synchronization

/// An endpoint on a real socket that keeps what it got and answers as a test says.
final class WebhookReceiver: Sendable {
    struct Request: Sendable {
        let path: String
        /// By lower-case name.
        let headers: [String: String]
        let body: String

        var id: String { headers["webhook-id"] ?? "" }
    }

    enum Reply: Sendable {
        case status(Int, headers: String = "", body: String = "")
        /// Bytes as they are; then the connection is closed.
        case raw(String)
        /// Closes without an answer.
        case close
        /// Never answers.
        case silence
        /// Says that it has 10 GiB, and sends as long as somebody reads.
        case endless
    }

    let port: Int
    private let listener: Int32
    private let reply: @Sendable (Request) -> Reply
    private let state = Mutex((requests: [Request](), sent: 0, silent: [Int32]()))

    init(_ reply: @escaping @Sendable (Request) -> Reply = { _ in .status(200) }) {
        self.reply = reply
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, size) == 0 && listen(descriptor, 256) == 0 && getsockname(descriptor, generic, &size) == 0
            }
        }
        precondition(isListening, "no listener on loopback")
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0 { return }
                Thread.detachNewThread { [self] in serve(connection) }
            }
        }
    }

    var url: String { "http://127.0.0.1:\(port)/hook" }
    var requests: [Request] { state.withLock { $0.requests } }
    /// Bytes of endless answers that the other side took.
    var sent: Int { state.withLock { $0.sent } }

    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
        for connection in state.withLock({ $0.silent }) { shutdown(connection, Int32(SHUT_RDWR)) }
    }

    private func serve(_ connection: Int32) {
        defer { Glibc.close(connection) }
        while let request = Self.read(connection) {
            state.withLock { $0.requests.append(request) }
            switch reply(request) {
            case .status(let status, let headers, let body):
                guard Self.send("HTTP/1.1 \(status) X\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)", connection) else { return }
            case .raw(let text):
                _ = Self.send(text, connection)
                return
            case .close: return
            case .silence:
                state.withLock { $0.silent.append(connection) }
                var byte: UInt8 = 0
                while recv(connection, &byte, 1, 0) > 0 {}
                return
            case .endless:
                guard Self.send("HTTP/1.1 200 OK\r\nContent-Length: \(10 << 30)\r\n\r\n", connection) else { return }
                let piece = String(repeating: "x", count: 65_536)
                while Self.send(piece, connection) { state.withLock { $0.sent += piece.utf8.count } }
                return
            }
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
                    let body = String(decoding: bytes[place.upperBound..<place.upperBound + length], as: UTF8.self)
                    return Request(path: String(lines[0].split(separator: " ")[1]), headers: headers, body: body)
                }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            if count <= 0 { return nil }
            bytes += buffer[..<count]
        }
    }
}
