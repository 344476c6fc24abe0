import Martlet

/// The admin API of a webhook channel, under `/v1/channels/<name>`:
///
/// ```
/// GET    /endpoints                         POST /endpoints                        makes one; the answer has its secret, once
/// GET    /endpoints/{endpoint}              PATCH, DELETE /endpoints/{endpoint}
/// POST   /endpoints/{endpoint}/pause        POST /endpoints/{endpoint}/resume      POST /endpoints/{endpoint}/secret
/// GET    /deliveries?endpoint&state&since&until&before&limit
/// GET    /attempts?endpoint&delivery&since&limit
/// POST   /replay   {"delivery": 17} or {"endpoint", "state", "since", "until", "after"}
/// ```
struct WebhookAdmin {
    let plan: ChannelPlan
    let session: @Sendable () throws(ModuleError) -> WebhookSession

    var routes: [Route] {
        let endpoints = EndpointResource(plan: plan, session: session)
        let history = HistoryResource(plan: plan, session: session)
        return [
            route("GET", "/endpoints") { _ in try await endpoints.list() },
            route("POST", "/endpoints") { try await endpoints.create(Self.body($0)) },
            route("GET", "/endpoints/{endpoint}") { try await endpoints.show(Self.name($0)) },
            route("PATCH", "/endpoints/{endpoint}") { try await endpoints.change(Self.name($0), Self.body($0)) },
            route("DELETE", "/endpoints/{endpoint}") { try await endpoints.remove(Self.name($0)) },
            route("POST", "/endpoints/{endpoint}/pause") { try await endpoints.pause(Self.name($0)) },
            route("POST", "/endpoints/{endpoint}/resume") { try await endpoints.resume(Self.name($0)) },
            route("POST", "/endpoints/{endpoint}/secret") { try await endpoints.rotate(Self.name($0), Self.body($0)) },
            route("GET", "/deliveries") { try await history.deliveries($0) },
            route("GET", "/attempts") { try await history.attempts($0) },
            route("POST", "/replay") { try await history.replay(Self.body($0)) },
        ]
    }

    private func route(
        _ method: String, _ path: String, _ answer: @escaping @Sendable (any HTTPExchange) async throws -> HTTPResponse
    ) -> Route {
        Route(method, path) { exchange in
            // A task of its own, so that the connection's loop goes on.
            Task {
                do {
                    exchange.respond(try await answer(exchange))
                } catch {
                    exchange.respond(AdminRefusal(error).details.response())
                }
            }
        }
    }

    private static func name(_ exchange: any HTTPExchange) -> String {
        exchange.pathParameter("endpoint") ?? ""
    }

    private static func body(_ exchange: any HTTPExchange) throws(AdminRefusal) -> JSONObject {
        try exchange.bodyObject(orThrow: AdminRefusal.badRequest)
    }
}
