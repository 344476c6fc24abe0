import HTTPServer
import Martlet

/// The server's exchange as the SDK's modules see it.
final class ServerExchange: Martlet.HTTPExchange {
    private let exchange: WireExchange
    private let cache: ChunkCache?
    private let proxies: TrustedProxies?

    /// - Parameter proxies: those whose word on a client's address counts; nil if there are none.
    init(_ exchange: WireExchange, cache: ChunkCache?, proxies: TrustedProxies?) {
        self.exchange = exchange
        self.cache = cache
        self.proxies = proxies
    }

    var method: String { exchange.request.method.name }
    var target: String { exchange.request.target }
    var loopIndex: Int { exchange.loop.index }

    var body: Bytes {
        let body = exchange.request.body
        return Bytes(unsafeOwner: body, start: body.pointer, count: body.count)
    }

    var remoteAddress: String {
        let peer = exchange.remoteAddress
        return proxies?.client(behind: peer, exchange.request.header) ?? peer
    }

    func pathParameter(_ name: String) -> String? { exchange.pathParameter(name) }
    func queryParameter(_ name: String) -> String? { exchange.request.queryParameter(name) }
    func header(_ name: String) -> String? { exchange.request.header(name) }
    var headers: [(name: String, value: String)] { exchange.request.headers }

    func respond(_ response: Martlet.HTTPResponse) {
        let headers: HTTPHeaders
        do throws(HTTPHeaderError) {
            headers = Self.isJSON(response.headers) ? .json : try HTTPHeaders(response.headers)
        } catch {
            // A module's defect, which the client must not see as success.
            return exchange.respondProblem(WireProblem(.internalServerError, error.description))
        }
        let body = response.body.withUnsafeBytes { SharedBytes(copying: $0) }
        exchange.respond(HTTPStatus(response.status), headers: headers, body: body)
    }

    /// Nearly every answer has this one header: it is not checked and written anew for each.
    private static func isJSON(_ headers: [(name: String, value: String)]) -> Bool {
        headers.count == 1 && headers[0].name == "Content-Type" && headers[0].value == "application/json"
    }

    func startStream(
        status: Int, headers: [(name: String, value: String)], queueLimit: Int, onClose: @escaping @Sendable () -> Void
    ) -> any Martlet.HTTPStream {
        // Headers of streams are constants of the channel; one that cannot be sent is its defect.
        let fields = (try? HTTPHeaders(headers)) ?? .none
        let stream = exchange.startStream(HTTPStatus(status), headers: fields, queueBytesMax: queueLimit)
        stream.onClose = { _ in onClose() }
        return ServerStream(stream, cache: cache ?? ChunkCache())
    }
}
