import Martlet
import Pipelines

/// The routes of the admin listener: health, readiness, metrics. With a token configured, every path but `/healthz`
/// and `/readyz` asks for it.
struct AdminAPI: Sendable {
    let host: Host
    /// The bearer token; nil on a loopback listener without one.
    let token: String?

    var routes: [Route] {
        [
            Route("GET", "/healthz") { $0.respond(Self.text(200, "ok\n")) },
            Route("GET", "/readyz") { exchange in exchange.respond(ReadinessReport(host).response) },
            protected("GET", "/metrics") { exchange in
                exchange.respond(
                    HTTPResponse(
                        status: 200, headers: [("Content-Type", "text/plain; version=0.0.4; charset=utf-8")],
                        body: Bytes(host.metrics.render())))
            },
        ] + LogAPI(host: host).routes(protected)
    }

    /// A route that asks for the token if there is one.
    func protected(
        _ method: String, _ path: String, _ handle: @escaping @Sendable (any HTTPExchange) -> Void
    ) -> Route {
        Route(method, path) { exchange in
            if let token, !Self.isAuthorized(exchange, token) {
                let problem = ProblemDetails(
                    status: 401, title: "Unauthorized", detail: "send `Authorization: Bearer TOKEN` with host.admin_token")
                return exchange.respond(problem.response(headers: [("WWW-Authenticate", "Bearer")]))
            }
            handle(exchange)
        }
    }

    /// Compares in a time that does not depend on where the first difference is.
    private static func isAuthorized(_ exchange: any HTTPExchange, _ token: String) -> Bool {
        guard let given = exchange.header("Authorization") else { return false }
        let wanted = Array("Bearer \(token)".utf8)
        let found = Array(given.utf8)
        guard wanted.count == found.count else { return false }
        return zip(wanted, found).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    static func text(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(status: status, headers: [("Content-Type", "text/plain; charset=utf-8")], body: Bytes(text))
    }
}
