import Foundation
import Martlet
import Testing

/// A client's socket, read only when a test says so.
final class TestSocket: Sendable {
    private let descriptor: CInt

    init(port: Int, receiveBuffer: CInt? = nil) throws {
        descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer { setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size)) }
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(connected == 0)
    }

    deinit {
        close(descriptor)
    }

    /// Sends lines of words, each a request.
    func send(_ lines: String...) {
        let text = lines.map { $0 + "\r\n" }.joined()
        _ = Glibc.send(descriptor, text, text.utf8.count, CInt(MSG_NOSIGNAL))
    }

    /// Reads until the text is there. Throws if the connection ends, or nothing comes for 10 s.
    @discardableResult
    func read(until end: String) throws -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while !text.hasSuffix(end) {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { throw NotYet(description: "the connection ended after \(text.debugDescription)") }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
        return text
    }

    /// Reads to the end of the connection.
    func readToEnd() -> Int {
        var total = 0
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return total }
            total += count
        }
    }
}
