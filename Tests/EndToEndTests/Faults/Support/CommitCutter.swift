import Foundation
import Glibc
import Synchronization
import TestSupport

/// Stands between a host and PostgreSQL. When asked, it lets a COMMIT through to the server, waits for the answer, and
/// cuts the connection instead of bringing it: the host cannot know what has become of its transaction.
final class CommitCutter: Sendable {
    let port: Int
    private let upstream: Int
    private let listener: Int32
    private let state = Mutex((armed: 0, cuts: 0))

    /// - Parameter upstream: the server's port on loopback.
    init(to upstream: Int) throws {
        self.upstream = upstream
        port = try FreePort.take()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var on: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        let descriptor = listener
        let isBound = Self.withLoopback(port) { bind(descriptor, $0, $1) == 0 && listen(descriptor, 16) == 0 }
        guard isBound else { throw TestFailure("cannot listen on port \(port)") }
        Thread.detachNewThread { [weak self] in
            while true {
                let client = accept(descriptor, nil, nil)
                guard client >= 0, let self else { return }
                self.join(client)
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    var cuts: Int { state.withLock { $0.cuts } }

    /// The answers of so many commits will be lost.
    func cutNext(_ count: Int) { state.withLock { $0.armed = count } }

    private func join(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard Self.withLoopback(upstream, { connect(server, $0, $1) == 0 }) else {
            close(client)
            close(server)
            return
        }
        let link = Link(client: client, server: server)
        Thread.detachNewThread { [self] in
            Self.pump(from: client, to: server) { chunk in
                if Self.holdsCommit(chunk), takeOne() { link.isCut.store(true, ordering: .releasing) }
                return true
            }
            link.end()
        }
        Thread.detachNewThread {
            Self.pump(from: server, to: client) { _ in !link.isCut.load(ordering: .acquiring) }
            link.end()
        }
    }

    private func takeOne() -> Bool {
        state.withLock { state in
            guard state.armed > 0 else { return false }
            state.armed -= 1
            state.cuts += 1
            return true
        }
    }

    /// `COMMIT` as a simple query (message Q), or as a command of its own at the end of a pipeline (message P).
    private static func holdsCommit(_ chunk: ArraySlice<UInt8>) -> Bool {
        Data(chunk).range(of: Data("COMMIT\0".utf8)) != nil
    }

    /// Carries bytes until one side ends or `mayPass` says no.
    private static func pump(from source: Int32, to target: Int32, _ mayPass: (ArraySlice<UInt8>) -> Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(source, &buffer, buffer.count, 0)
            guard count > 0, mayPass(buffer[..<count]) else { return }
            var sent = 0
            while sent < count {
                let taken = buffer[sent..<count].withUnsafeBytes { send(target, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard taken > 0 else { return }
                sent += taken
            }
        }
    }

    private static func withLoopback(_ port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    /// One joined connection; the second thread that ends closes the sockets.
    private final class Link: Sendable {
        let isCut = Atomic<Bool>(false)
        private let client: Int32
        private let server: Int32
        private let ended = Atomic<Int>(0)

        init(client: Int32, server: Int32) {
            self.client = client
            self.server = server
        }

        func end() {
            shutdown(client, Int32(SHUT_RDWR))
            shutdown(server, Int32(SHUT_RDWR))
            if ended.wrappingAdd(1, ordering: .acquiringAndReleasing).newValue == 2 {
                close(client)
                close(server)
            }
        }
    }
}
