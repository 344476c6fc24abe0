import CLinux
import HTTPServer

/// `martlet bench serve`: the host's HTTP server with a handler that does nothing but answer. What a durable publish is
/// compared with.
package struct IdleServer: Benchmark {
    package init() {}

    /// An answer as long as the http source's.
    private static let body = SharedBytes(
        #"{"id":"01936a1b-7c3d-7e2f-8a4b-0123456789ab","topic":"events","partition":0,"offset":123456}"#)

    package func run() throws -> BenchmarkReport {
        let group = try EventLoopGroup(count: max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let router = try Router([
            Route(.post, "/events") { $0.respond(HTTPStatus(202), headers: .json, body: Self.body) }
        ])
        let server = HTTPServer(loops: group.loops) { router.dispatch($0) }
        let address = try server.listen(on: ListenAddress(host: "127.0.0.1", port: 0))
        let line = Array("port \(address.port)\n".utf8)
        _ = write(STDOUT_FILENO, line, line.count)
        // Until its parent ends it.
        while true { pause() }
    }
}
