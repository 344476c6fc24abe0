import Foundation
import Glibc
import Synchronization

/// A server that reads one request head and body after another and answers with what a test says, byte for byte.
final class ScriptedServer: Sendable {
    /// The bytes to send for a request; nil closes the connection without an answer.
    typealias Script = @Sendable (_ request: String) -> String?

    let port: Int
    private let listener: Int32
    private let script: Script
    private let connectionCount = Atomic<Int>(0)

    init(_ script: @escaping Script) {
        self.script = script
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = listener
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, size) == 0 && listen(descriptor, 16) == 0 && getsockname(descriptor, generic, &size) == 0
            }
        }
        precondition(isListening, "no listener on loopback")
        port = Int(UInt16(bigEndian: address.sin_port))
        start { server in
            while true {
                let connection = accept(server.listener, nil, nil)
                if connection < 0 { return }
                server.connectionCount.wrappingAdd(1, ordering: .relaxed)
                server.start { $0.serve(connection) }
            }
        }
    }

    var url: String { "http://127.0.0.1:\(port)" }
    var connections: Int { connectionCount.load(ordering: .relaxed) }

    /// Refuses connections from now on.
    func close() {
        shutdown(listener, Int32(SHUT_RDWR))
        Glibc.close(listener)
    }

    private func serve(_ connection: Int32) {
        defer { Glibc.close(connection) }
        while let request = Self.read(connection), let answer = script(request) {
            var bytes = Array(answer.utf8)[...]
            while !bytes.isEmpty {
                let count = bytes.withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                if count <= 0 { return }
                bytes = bytes.dropFirst(count)
            }
        }
    }

    /// A head, and as much body as its Content-Length says.
    private static func read(_ connection: Int32) -> String? {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let end = text.range(of: "\r\n\r\n") {
                let length = text.range(of: "Content-Length: ").map { text[$0.upperBound...].prefix { $0.isNumber } }.flatMap { Int($0) }
                if text.utf8.distance(from: end.upperBound, to: text.endIndex) >= length ?? 0 { return text }
            }
            let count = recv(connection, &buffer, buffer.count, 0)
            if count <= 0 { return nil }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }

    private func start(_ body: @escaping @Sendable (ScriptedServer) -> Void) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Body(server: self, run: body))
        let code = pthread_create(&thread, nil, { runScript($0) }, box.toOpaque())
        precondition(code == 0, "no thread")
        pthread_detach(thread)
    }

    fileprivate final class Body: Sendable {
        let server: ScriptedServer
        let run: @Sendable (ScriptedServer) -> Void

        init(server: ScriptedServer, run: @escaping @Sendable (ScriptedServer) -> Void) {
            self.server = server
            self.run = run
        }
    }
}

private nonisolated func runScript(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let body = Unmanaged<ScriptedServer.Body>.fromOpaque(context).takeRetainedValue()
    body.run(body.server)
    return nil
}
