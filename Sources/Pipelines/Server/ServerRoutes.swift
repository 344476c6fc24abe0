import HTTPServer
import Martlet

/// Makes the server's routes of the SDK's.
enum ServerRoutes {
    static func route(
        _ route: Martlet.Route, owner: String, caches: [ChunkCache] = [], proxies: TrustedProxies? = nil
    ) throws(RouteError) -> WireRoute {
        guard let method = HTTPMethod(name: route.method) else {
            throw .malformedPattern(
                route.path, owner: owner,
                reason: "method \(route.method) is none of \(HTTPMethod.allCases.map(\.name).joined(separator: ", "))")
        }
        return try WireRoute(method, route.path, owner: owner) { exchange in
            route.handle(ServerExchange(exchange, cache: caches.isEmpty ? nil : caches[exchange.loop.index], proxies: proxies))
        }
    }
}
