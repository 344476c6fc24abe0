import CEvent
import Synchronization
import Testing

@testable import HTTPServer

/// A server on loops of its own and a free port of 127.0.0.1.
struct TestServer {
    let group: EventLoopGroup
    let server: HTTPServer
    let port: UInt16

    var loop: EventLoop { group.loops[0] }

    /// Runs `body` against a server, then stops it.
    static func run(
        loops: Int = 1, _ settings: HTTPServerSettings = HTTPServerSettings(),
        handler: @escaping @Sendable (HTTPExchange) -> Void,
        body: (TestServer) async throws -> Void
    ) async throws {
        let group = try EventLoopGroup(count: loops)
        let server = HTTPServer(loops: group.loops, settings: settings, handler: handler)
        let address = try server.listen(on: ListenAddress(host: "127.0.0.1", port: 0))
        let running = TestServer(group: group, server: server, port: address.port)
        do {
            try await withTaskExecutorPreference(ThreadPerJob.shared) { try await body(running) }
            await running.end()
        } catch {
            await running.end()
            throw error
        }
    }

    private func end() async {
        if !server.hasStopped { await server.stop(grace: .zero) }
        #expect(server.counters.openConnections == 0)
        #expect(server.counters.openStreams == 0)
        group.stop()
    }

    /// One request on a connection of its own.
    func get(_ target: String) throws -> TestClient.Response {
        try TestServer.get(target, port: port)
    }

    static func get(_ target: String, port: UInt16, isIPv6: Bool = false) throws -> TestClient.Response {
        try TestClient(port: port, isIPv6: isIPv6).get(target)
    }

    func client() throws -> TestClient { try TestClient(port: port) }
}

/// Answers with the method, target and body.
@Sendable func echo(_ exchange: HTTPExchange) {
    let request = exchange.request
    exchange.respond(.ok, headers: .text, body: SharedBytes("\(request.method.name) \(request.target) \(request.body.text)"))
}

/// Waits until a condition holds; records an issue after a minute.
func waitUntil(_ what: Comment, _ condition: () -> Bool) async {
    let deadline = ContinuousClock.now + .seconds(60)
    while !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record(what)
            return
        }
        try? await Task.sleep(for: .milliseconds(1))
    }
}

/// A value that a test and a loop share.
final class Shared<Value: Sendable>: Sendable {
    private let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }

    var current: Value { value.withLock { $0 } }

    func update(_ change: @Sendable (inout Value) -> Void) {
        value.withLock { change(&$0) }
    }
}

extension EventLoop {
    /// Runs work on the loop and returns its result.
    func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            execute { continuation.resume(returning: work()) }
        }
    }
}
