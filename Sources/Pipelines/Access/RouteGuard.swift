import Martlet

/// Stands before the routes of one part: it sees to `auth`, `require`, tickets and CORS, and lets requests through.
struct RouteGuard: Sendable {
    /// Nil if anyone may send requests.
    let access: AccessPlan?
    let cors: CORSPolicy?
    let metrics: AccessMetrics?

    /// The part's routes, guarded, and those that give tickets out.
    func routes(_ routes: [Route]) -> [Route] {
        guard access != nil || cors != nil else { return routes }
        var guarded = routes.map { route in
            Route(route.method, route.path, takesTickets: route.takesTickets) { exchange in
                admit(exchange, takesTicket: route.takesTickets, route.handle)
            }
        }
        guard let access else { return guarded }
        for route in routes where route.takesTickets && route.method == "GET" {
            guarded.append(
                Route("POST", route.path + Self.ticketSuffix) { exchange in
                    admit(exchange, takesTicket: false) { issue($0, access) }
                })
        }
        return guarded
    }

    private static let ticketSuffix = "/ticket"

    private func admit(_ exchange: any HTTPExchange, takesTicket: Bool, _ handle: (any HTTPExchange) -> Void) {
        let isReading = exchange.method == "GET" || exchange.method == "HEAD"
        let headers = cors?.headers(for: exchange.header("origin"), isOpen: access == nil && isReading) ?? []
        guard let access else {
            return handle(headers.isEmpty ? exchange : AdmittedExchange(exchange, caller: nil, headers: headers))
        }
        do throws(AccessRefusal) {
            let caller = try access.admit(exchange, takesTicket: takesTicket)
            if caller.isAmbient, !isReading { try checkOrigin(of: exchange) }
            handle(AdmittedExchange(exchange, caller: caller, headers: headers))
        } catch {
            metrics?.refused(error.reason)
            var response = error.response
            response.headers += headers
            exchange.respond(response)
        }
    }

    /// A cookie comes with every request to this host, also with one that a foreign page makes.
    private func checkOrigin(of exchange: any HTTPExchange) throws(AccessRefusal) {
        guard let origin = exchange.header("origin") else { return }
        if cors?.lists(origin) == true { return }
        let authority = origin.firstRange(of: "://").map { String(origin[$0.upperBound...]).lowercased() }
        guard let host = exchange.header("host"), authority == host.lowercased() else { throw .crossSite }
    }

    private func issue(_ exchange: any HTTPExchange, _ access: AccessPlan) {
        guard let caller = exchange.caller else { return exchange.respond(AccessRefusal.missing([]).response) }
        let path = String(exchange.path.dropLast(Self.ticketSuffix.count))
        guard let ticket = access.tickets.issue(to: caller, path: path, lifetime: access.ticketLifetime) else {
            let problem = ProblemDetails(
                status: 422, title: "No ticket for this caller",
                detail: "The token's claims are too long for a ticket, which has to fit into a URL; use a cookie.",
                extensions: [("code", "auth.ticket_too_long")])
            return exchange.respond(problem.response())
        }
        let answer = JSONNode.object([("ticket", .string(ticket.text)), ("expires_at", .integer(ticket.endsAt))])
        exchange.respond(
            HTTPResponse(
                status: 201, headers: [("Content-Type", "application/json"), ("Cache-Control", "no-store")],
                body: Bytes(JSONWriter.bytes(answer) + [UInt8(ascii: "\n")])))
    }
}
