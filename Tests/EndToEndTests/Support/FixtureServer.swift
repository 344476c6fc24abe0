import Foundation
import HTTPServer
import Synchronization

/// The server side of the web-platform-tests' folder `eventsource/`, written anew on our HTTP server: what a test page
/// asks of it is in the query of each path. Beside them, the page itself and a mailbox between page and test.
final class FixtureServer: Sendable {
    private struct State {
        var connections: [String: Int] = [:]
        var posted: [String: String] = [:]
        var told: [String: String] = [:]
    }

    let port: UInt16
    private let group: EventLoopGroup
    private let server: HTTPServer
    private let state: Mutex<State>

    var origin: String { "http://127.0.0.1:\(port)" }

    init(page: String) throws {
        let group = try EventLoopGroup(count: 1)
        let box = Box()
        server = HTTPServer(loops: group.loops) { box.handler?($0) }
        port = try server.listen(on: ListenAddress(parsing: "127.0.0.1:0")).port
        self.group = group
        state = Mutex(State())
        let router = try Router(routes(page: page))
        // The first request comes after this.
        box.handler = { router.dispatch($0) }
    }

    private final class Box: @unchecked Sendable {
        // Unchecked: set once, before anybody knows the port.
        var handler: (@Sendable (HTTPExchange) -> Void)?
    }

    func stop() async {
        await server.stop(grace: .zero)
        group.stop()
    }

    /// What the page posted to `/box/<name>`.
    func posted(_ name: String) -> String? { state.withLock { $0.posted[name] } }

    /// Answers the page's `GET /box/<name>`.
    func tell(_ name: String, _ text: String) { state.withLock { $0.told[name] = text } }

    private func routes(page: String) throws -> [Route] {
        [
            try Route(.get, "/") { $0.respond(.ok, headers: ["Content-Type": "text/html; charset=utf-8"], body: SharedBytes(page)) },
            try Route(.post, "/box/{name}") { [self] exchange in
                state.withLock { $0.posted[exchange.pathParameter("name") ?? ""] = exchange.request.body.text }
                exchange.respond(.noContent)
            },
            try Route(.get, "/box/{name}") { [self] exchange in
                let text = state.withLock { $0.told[exchange.pathParameter("name") ?? ""] }
                exchange.respond(text == nil ? .notFound : .ok, headers: .text, body: SharedBytes(text ?? ""))
            },
            try Route(.get, "/message") { [self] in message($0) },
            try Route(.get, "/last-event-id") { [self] in lastEventID($0) },
            try Route(.get, "/cookie") { [self] in cookie($0) },
            try Route(.get, "/cors") { [self] in cors($0) },
            try Route(.get, "/status") { [self] in status($0) },
            try Route(.get, "/count/{run}") { [self] exchange in
                let count = state.withLock { $0.connections[exchange.pathParameter("run") ?? ""] ?? 0 }
                exchange.respond(.ok, headers: .text, body: SharedBytes(String(count)))
            },
        ]
    }

    /// `message.py`: sends `message`, byte for byte as it is given in hexadecimal, in as many pieces as there are commas.
    private func message(_ exchange: HTTPExchange) {
        let type = exchange.request.queryParameter("mime") ?? "text/event-stream"
        let stream = exchange.startStream(headers: headers([("Content-Type", type)]))
        for piece in (exchange.request.queryParameter("hex") ?? "").split(separator: ",") {
            let digits = Array(piece)
            let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
            if !bytes.isEmpty { _ = stream.write(StreamChunk.bytes(bytes)) }
        }
        if exchange.request.queryParameter("open") == nil { stream.close() }
    }

    /// `last-event-id.py`: says which id the client brought; a first connection gets one, and is ended.
    private func lastEventID(_ exchange: HTTPExchange) {
        let stream = exchange.startStream(headers: headers([("Content-Type", "text/event-stream")]))
        let id = exchange.request.queryParameter("id") ?? "1"
        if let brought = exchange.request.header("last-event-id") {
            _ = stream.write(.text("data: \(brought)\n\n"))
        } else {
            _ = stream.write(.text("id: \(id)\nretry: 100\ndata: hello\n\n"))
            stream.close()
        }
    }

    /// `cors-cookie.py`: says which cookie came, and sets one.
    private func cookie(_ exchange: HTTPExchange) {
        let stream = exchange.startStream(
            headers: headers([("Content-Type", "text/event-stream"), ("Set-Cookie", "fixture=COOKIE; Path=/")]))
        _ = stream.write(.text("data: \(exchange.request.header("cookie") ?? "none")\n\n"))
    }

    /// `cors.py`: what is to be said of origin and credentials is in the query.
    private func cors(_ exchange: HTTPExchange) {
        var fields: [(name: String, value: String)] = [("Content-Type", "text/event-stream")]
        if let origin = exchange.request.queryParameter("origin") { fields.append(("Access-Control-Allow-Origin", origin)) }
        if let credentials = exchange.request.queryParameter("credentials") {
            fields.append(("Access-Control-Allow-Credentials", credentials))
        }
        _ = exchange.startStream(headers: headers(fields)).write(.text("data: data\n\n"))
    }

    /// `status-error.py`, `status-reconnect.py`: the first connections of a run get another status, or are ended at once.
    private func status(_ exchange: HTTPExchange) {
        let run = exchange.request.queryParameter("run") ?? ""
        let count = state.withLock { state in
            state.connections[run, default: 0] += 1
            return state.connections[run, default: 0]
        }
        let code = exchange.request.queryParameter("status").flatMap { Int($0) } ?? 200
        if code != 200 { return exchange.respond(HTTPStatus(code)) }
        let stream = exchange.startStream(headers: headers([("Content-Type", "text/event-stream")]))
        _ = stream.write(.text("retry: 50\n\ndata: \(count)\n\n"))
        if count < 3 { stream.close() }
    }

    private func headers(_ fields: [(name: String, value: String)]) -> HTTPHeaders {
        (try? HTTPHeaders(fields + [("Cache-Control", "no-store")])) ?? .none
    }
}
