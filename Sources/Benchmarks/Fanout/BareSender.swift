import CLinux

/// `martlet bench send`: the least that a server of event streams can do. What is posted goes to each stream with one send(2),
/// from as many threads as there are cores; nothing is kept, checked or queued. What a fan-out is compared with.
package struct BareSender: Benchmark {
    static let publishPath = "/messages"
    static let streamPath = "/stream"
    private static let connectionsMax = 65_536

    package init() {}

    /// Serves until its parent ends it. It trusts its clients, the load generator: a request comes whole, and no message before all
    /// streams have the one before.
    package func run() throws -> BenchmarkReport {
        var port: UInt16 = 0
        let listener = clinux_listen_loopback(&port)
        guard listener >= 0 else { throw BenchmarkError.system("listen on loopback") }
        let poller = try Poller()
        poller.add(listener, UInt32(listener))
        let shares = try (0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))).map { _ in try BareShare() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 64)
        defer { buffer.deallocate() }
        let line = Array("port \(port)\n".utf8)
        _ = write(STDOUT_FILENO, line, line.count)
        var streamCount = 0
        while true {
            try poller.wait(timeoutMs: -1) { (number, _) throws(BenchmarkError) in
                let socket = Int32(number)
                if socket == listener { return try Self.accept(listener, poller) }
                let count = recv(socket, buffer.baseAddress, buffer.count, 0)
                guard count > 0 else { return poller.remove(socket) }
                let request = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                if request.starts(with: "POST".utf8) {
                    let message = Self.message(request)
                    Self.answer(socket, "202 Accepted\r\nContent-Length: 0")
                    for share in shares { share.send(message) }
                } else {
                    Self.answer(socket, "200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked")
                    shares[streamCount % shares.count].add(socket)
                    streamCount += 1
                }
            }
        }
    }

    private static func accept(_ listener: Int32, _ poller: Poller) throws(BenchmarkError) {
        while true {
            let socket = clinux_accept(listener)
            if socket < 0, clinux_errno() == EAGAIN { return }
            guard socket >= 0, socket < connectionsMax else { throw .system("accept a connection") }
            poller.add(socket, UInt32(socket))
        }
    }

    private static func answer(_ socket: Int32, _ head: String) {
        let text = Array("HTTP/1.1 \(head)\r\n\r\n".utf8)
        _ = clinux_send(socket, text, text.count)
    }

    /// The body as a chunk that holds one event.
    private static func message(_ request: UnsafeRawBufferPointer) -> [UInt8] {
        let end = Array("\r\n\r\n".utf8)
        let body = request.firstRange(of: end).map { request[$0.upperBound...] } ?? request[request.count...]
        let event = Array("id: 1\ndata: ".utf8) + body + Array("\n\n".utf8)
        return Array("\(String(event.count, radix: 16))\r\n".utf8) + event + Array("\r\n".utf8)
    }
}
