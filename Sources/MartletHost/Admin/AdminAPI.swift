import Martlet
import Pipelines

/// The routes of the admin listener: health, readiness, metrics, and the resources of `/v1`. With a token configured, every path but `/healthz`
/// and `/readyz` asks for it.
struct AdminAPI: Sendable {
    let host: Host
    /// Where reloads queue.
    let operations: HostOperations
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
        ] + topicRoutes + groupRoutes + channelRoutes + deadLetterRoutes + [
            answered("POST", "/v1/reload") { _ in try await ReloadResource(operations: operations).answer() }
        ] + drainRoutes + LogAPI(host: host).routes(protected)
    }

    /// The routes, and those of the graph's modules under `/v1/channels/<name>`.
    func routes(of graph: PipelineGraph) -> [Route] {
        routes + graph.channels.flatMap { node in
            ((node.part.channel as? any AdminProviding)?.adminRoutes ?? []).map { route in
                protected(route.method, "/v1/channels/\(node.name)\(route.path)", route.handle)
            }
        }
    }

    private var topicRoutes: [Route] {
        let topics = TopicResource(host: host)
        let reading = RecordReadResource(host)
        let writing = RecordWriteResource(host: host)
        return [
            answered("GET", "/v1/topics") { _ in try topics.list },
            answered("GET", "/v1/topics/{topic}") { try topics.show($0.pathParameter("topic") ?? "") },
            answered("GET", "/v1/topics/{topic}/records") { exchange in
                let topic = try topics.topic(exchange.pathParameter("topic") ?? "")
                return try await reading.answer(exchange, topic)
            },
            answered("POST", "/v1/topics/{topic}/records") { try await writing.answer($0) },
        ]
    }

    private var groupRoutes: [Route] {
        let groups = GroupResource(host: host)
        return [
            answered("GET", "/v1/groups") { _ in groups.list },
            answered("GET", "/v1/groups/{group}") { try groups.show($0.pathParameter("group") ?? "") },
            answered("POST", "/v1/groups/{group}/pause") { try groups.pause($0.pathParameter("group") ?? "") },
            answered("POST", "/v1/groups/{group}/resume") { try groups.resume($0.pathParameter("group") ?? "") },
            answered("POST", "/v1/groups/{group}/reset") { exchange in
                try await groups.reset(exchange.pathParameter("group") ?? "", exchange.bodyObject())
            },
        ]
    }

    private var channelRoutes: [Route] {
        let channels = ChannelResource(host: host)
        return [
            answered("GET", "/v1/channels") { _ in channels.list },
            answered("GET", "/v1/channels/{channel}") { exchange in
                let limit = try exchange.queryInteger("limit", default: 100, in: 1...ChannelResource.limitMax)
                return try channels.show(exchange.pathParameter("channel") ?? "", limit: limit)
            },
        ]
    }

    private var deadLetterRoutes: [Route] {
        let deadLetters = DeadLetterResource(host)
        let reading = RecordReadResource(host)
        return [
            answered("GET", "/v1/dead-letters") { _ in try await deadLetters.list() },
            answered("GET", "/v1/dead-letters/{topic}") { exchange in
                let topic = try deadLetters.topic(exchange.pathParameter("topic") ?? "")
                return try await reading.answer(exchange, topic)
            },
            answered("POST", "/v1/dead-letters/{topic}/replay") { exchange in
                try await deadLetters.replay(exchange.pathParameter("topic") ?? "", exchange.bodyObject())
            },
        ]
    }

    private var drainRoutes: [Route] {
        let drain = DrainResource(host: host)
        return [
            answered("GET", "/v1/drain") { _ in await drain.show() },
            answered("POST", "/v1/drain") { _ in await drain.start() },
            answered("POST", "/v1/drain/resume") { _ in await drain.resume() },
        ]
    }

    /// A protected route whose answer is made by a task.
    private func answered(
        _ method: String, _ path: String, _ body: @escaping @Sendable (any HTTPExchange) async throws -> HTTPResponse
    ) -> Route {
        protected(method, path) { exchange in exchange.answer { try await body(exchange) } }
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
