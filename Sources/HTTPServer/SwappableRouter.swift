import Synchronization

/// The router in force, replaced as a whole while requests go on: each request sees one router from start to end.
package final class SwappableRouter: Sendable {
    private let current: Mutex<Router>

    /// Starts with these routes.
    package init(_ router: Router) {
        current = Mutex(router)
    }

    /// Requests that come from now on are matched against these routes. Callable from any thread.
    package func replace(with router: Router) {
        current.withLock { $0 = router }
    }

    /// The server's handler: dispatches to the routes in force.
    package func dispatch(_ exchange: HTTPExchange) {
        current.withLock { $0 }.dispatch(exchange)
    }
}
