import Foundation
import Glibc
import Synchronization

/// A webhook endpoint that keeps what it gets, and may be slow.
final class HookServer: Sendable {
    struct Hook: Sendable {
        let id: String
        let body: String
    }

    let port: Int
    private let listener: Int32
    private let pause: Duration
    private let received = Mutex<[Hook]>([])

    /// - Parameter pause: how long each answer takes.
    init(pause: Duration = .zero) {
        self.pause = pause
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, size) == 0 && listen(descriptor, 64) == 0 && getsockname(descriptor, generic, &size) == 0
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

    var hooks: [Hook] { received.withLock { $0 } }

    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
    }

    private func serve(_ connection: Int32) {
        defer { Glibc.close(connection) }
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(connection, &buffer, buffer.count, 0)
            if count <= 0 { return }
            text += String(decoding: buffer[..<count], as: UTF8.self)
            while let hook = Self.next(&text) {
                received.withLock { $0.append(hook) }
                Thread.sleep(forTimeInterval: Double(pause.components.attoseconds) / 1e18)
                let answer = Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)
                if send(connection, answer, answer.count, Int32(MSG_NOSIGNAL)) <= 0 { return }
            }
        }
    }

    private static func next(_ text: inout String) -> Hook? {
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        func header(_ name: String) -> String? {
            text[..<end.lowerBound].components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
                .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
        }
        let length = header("content-length").flatMap { Int($0) } ?? 0
        let body = text[end.upperBound...].utf8
        guard body.count >= length, let cut = body.index(body.startIndex, offsetBy: length, limitedBy: body.endIndex) else { return nil }
        let hook = Hook(id: header("webhook-id") ?? "", body: String(text[end.upperBound..<cut]))
        text = String(text[cut...])
        return hook
    }
}
