import CEvent
import Synchronization

/// An HTTP/1.1 server on event loops.
///
/// Life: create → `listen` (once or for several addresses) → `stop`. The handler is called on the loop of the
/// request's connection and must not block; it answers there or later from any thread.
package final class HTTPServer: Sendable {
    /// The limits and timeouts in force.
    package let settings: HTTPServerSettings

    private let acceptors: [Acceptor]
    private let stopCalled = Atomic(false)

    /// A server that listens nowhere yet.
    ///
    /// - Parameters:
    ///   - loops: the loops that share the connections; one is enough for an admin listener.
    ///   - settings: limits and timeouts.
    ///   - handler: called with each request on its connection's loop.
    package init(
        loops: [EventLoop], settings: HTTPServerSettings = HTTPServerSettings(),
        handler: @escaping @Sendable (HTTPExchange) -> Void
    ) {
        precondition(!loops.isEmpty, "an HTTP server needs at least one event loop")
        self.settings = settings
        let openCount = SharedCount()
        acceptors = loops.map { Acceptor(loop: $0, settings: settings, openCount: openCount, handler: handler) }
    }

    /// Listens on all addresses of a host, with one socket per loop, and returns the address with the port in use.
    /// Connections are accepted when this returns. Throws `HTTPServerError`; then it listens on none of them.
    @discardableResult
    package func listen(on address: ListenAddress) throws(HTTPServerError) -> ListenAddress {
        guard !hasStopped else { throw .stopped(address) }
        let opened = try ListeningSocket.open(address, count: acceptors.count, settings: settings)
        for sockets in opened {
            for (acceptor, socket) in zip(acceptors, sockets) {
                acceptor.loop.execute { acceptor.add(listener: socket.descriptor) }
            }
        }
        return opened.first?.first?.address ?? address
    }

    /// What this server has done so far.
    package var counters: HTTPServerCounters {
        var sum = HTTPServerCounters()
        for acceptor in acceptors { acceptor.counters.addTo(&sum) }
        return sum
    }

    /// Whether `stop` has been called.
    package var hasStopped: Bool { stopCalled.load(ordering: .relaxed) }

    /// Stops accepting, lets requests in flight be answered (with `Connection: close`) and streams say goodbye, and
    /// returns when all connections are closed. What is left after `grace` is closed hard. Called once.
    package func stop(grace: Duration) async {
        precondition(!stopCalled.exchange(true, ordering: .relaxed), "an HTTP server is stopped once")
        await withTaskGroup(of: Void.self) { group in
            for acceptor in acceptors {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        acceptor.loop.execute {
                            let deadline = acceptor.loop.schedule(after: grace) { acceptor.closeAll() }
                            acceptor.beginDraining {
                                deadline.cancel()
                                continuation.resume()
                            }
                        }
                    }
                }
            }
        }
    }
}
