import CLinux
import HTTPServer
import Synchronization

/// Endpoints in this process: a listener for those that answer, and one for each way of being dead.
final class EndpointsReceiver: Sendable {
    /// What has arrived, by the numbers of events.
    private struct Arrivals {
        /// In nanoseconds of the monotonic clock; 0 for none yet.
        var firstAt: [Int64]
        var repeats = 0
        /// Requests that are never answered.
        var silent: [HTTPExchange] = []
    }

    /// Events that it has room for.
    let capacity: Int
    let port: UInt16
    /// Of endpoints that never answer, that refuse connections, that let nobody in, and that answer 500.
    let deadPorts: [UInt16]
    /// Of the listener that lets nobody in.
    private let closedEnds: [Int32]
    private let group: EventLoopGroup
    private let servers: [HTTPServer]
    private let arrivals: Shared

    private final class Shared: Sendable {
        let value: Mutex<Arrivals>

        init(_ value: consuming sending Arrivals) {
            self.value = Mutex(value)
        }
    }

    init(capacity: Int) throws {
        self.capacity = capacity
        let arrivals = Shared(Arrivals(firstAt: [Int64](repeating: 0, count: capacity)))
        self.arrivals = arrivals
        let group = try EventLoopGroup(count: 1)
        self.group = group
        let alive = try Router([
            Route(.post, "/hook") { exchange in
                let now = MonotonicClock.now
                // `{"n":17,…}`
                let number = exchange.request.body.bytes.dropFirst(5).prefix { $0 >= 0x30 && $0 <= 0x39 }
                    .reduce(0) { $0 * 10 + Int($1 - 0x30) }
                arrivals.value.withLock { arrivals in
                    guard arrivals.firstAt.indices.contains(number) else { return }
                    if arrivals.firstAt[number] == 0 { arrivals.firstAt[number] = now } else { arrivals.repeats += 1 }
                }
                exchange.respond(.noContent)
            }
        ])
        let silent = try Router([
            Route(.post, "/hook") { exchange in arrivals.value.withLock { $0.silent.append(exchange) } }
        ])
        let failing = try Router([Route(.post, "/hook") { $0.respond(.internalServerError) }])
        let servers = [alive, silent, failing].map { router in HTTPServer(loops: group.loops) { router.dispatch($0) } }
        self.servers = servers
        let ports = try servers.map { try $0.listen(on: ListenAddress(host: "127.0.0.1", port: 0)).port }
        var closedPort: UInt16 = 0
        var closedEnds: [Int32] = [-1, -1]
        guard clinux_listen_full(&closedPort, &closedEnds) == 0 else { throw BenchmarkError.system("listen on a port of loopback") }
        self.closedEnds = closedEnds
        port = ports[0]
        deadPorts = [ports[1], clinux_free_port(), closedPort, ports[2]]
    }

    /// When each event arrived first, in nanoseconds of the monotonic clock; 0 for those that did not.
    var arrivedAt: [Int64] { arrivals.value.withLock { $0.firstAt } }
    var repeats: Int { arrivals.value.withLock { $0.repeats } }

    func stop() {
        group.stop()
        for end in closedEnds { close(end) }
    }
}
