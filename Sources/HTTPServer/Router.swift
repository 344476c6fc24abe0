/// An immutable set of routes, matched by the segments of a path. A literal segment goes before a parameter.
package struct Router: Sendable {
    /// One segment's place in the tree of patterns.
    private final class Node: Sendable {
        let literals: [(text: [UInt8], node: Node)]
        let parameter: Node?
        /// The routes that end here, at most one for a method.
        let routes: [Route]

        init(_ routes: [Route], depth: Int) {
            self.routes = routes.filter { $0.segments.count == depth }
            var literals: [(text: [UInt8], routes: [Route])] = []
            var parameters: [Route] = []
            for route in routes where route.segments.count > depth {
                switch route.segments[depth] {
                case .parameter: parameters.append(route)
                case .literal(let text):
                    if let index = literals.firstIndex(where: { $0.text == text }) {
                        literals[index].routes.append(route)
                    } else {
                        literals.append((text, [route]))
                    }
                }
            }
            self.literals = literals.map { ($0.text, Node($0.routes, depth: depth + 1)) }
            parameter = parameters.isEmpty ? nil : Node(parameters, depth: depth + 1)
        }
    }

    private let root: Node

    /// Throws `RouteError.collision` naming two routes that answer the same requests: same method, same literal
    /// segments, parameters in the same places.
    package init(_ routes: [Route]) throws(RouteError) {
        var seen: [String: Route] = [:]
        for route in routes {
            let shape = route.segments.map { segment in
                switch segment {
                case .literal(let text): String(decoding: text, as: UTF8.self)
                case .parameter: "{}"
                }
            }
            let key = "\(route.method.name) /\(shape.joined(separator: "/"))"
            if let other = seen[key] { throw .collision(other.label, route.label) }
            seen[key] = route
        }
        root = Node(routes, depth: 0)
    }

    /// Calls the handler of the route that matches; answers 404, 405 with Allow, and OPTIONS by itself.
    package func dispatch(_ exchange: HTTPExchange) {
        let request = exchange.request
        let path = request.bytes(request.pathRange)
        if request.method == .options, path.count == 1, path[0] == UInt8(ascii: "*") {
            return exchange.respond(.noContent, headers: Router.allow(HTTPMethod.allCases))
        }
        guard let routes = match(path) else {
            let detail = "nothing is served at \(request.path)"
            return exchange.respondProblem(ProblemDetails(.notFound, detail))
        }
        if let route = Router.route(for: request.method, among: routes) {
            exchange.route = route
            return route.handler(exchange)
        }
        let allowed = Router.allowedMethods(routes)
        if request.method == .options { return exchange.respond(.noContent, headers: Router.allow(allowed)) }
        let names = allowed.map(\.name).joined(separator: ", ")
        let detail = "\(request.path) does not answer \(request.method.name); expected one of \(names)"
        exchange.respondProblem(ProblemDetails(.methodNotAllowed, detail), headers: Router.allow(allowed))
    }

    private static func route(for method: HTTPMethod, among routes: [Route]) -> Route? {
        for route in routes where route.method == method { return route }
        return method == .head ? Router.route(for: .get, among: routes) : nil
    }

    private static func allowedMethods(_ routes: [Route]) -> [HTTPMethod] {
        var methods = Set(routes.map(\.method))
        methods.insert(.options)
        if methods.contains(.get) { methods.insert(.head) }
        return HTTPMethod.allCases.filter { methods.contains($0) }
    }

    private static func allow(_ methods: [HTTPMethod]) -> HTTPHeaders {
        let names = methods.map(\.name).joined(separator: ", ")
        return ["Allow": "\(names)"]
    }

    // MARK: Matching

    private func match(_ path: UnsafeBufferPointer<UInt8>) -> [Route]? {
        find(PathSplitter(path), root)
    }

    /// Goes down the tree, and back up where a literal segment led nowhere. Each node is visited once at most.
    private func find(_ splitter: PathSplitter, _ node: Node) -> [Route]? {
        var splitter = splitter
        guard let segment = splitter.next() else { return node.routes.isEmpty ? nil : node.routes }
        for literal in node.literals where equals(segment, literal.text) {
            if let routes = find(splitter, literal.node) { return routes }
        }
        guard let parameter = node.parameter, !segment.isEmpty else { return nil }
        return find(splitter, parameter)
    }

    private func equals(_ segment: UnsafeBufferPointer<UInt8>, _ text: [UInt8]) -> Bool {
        if PercentEncoding.isPlain(segment, plusIsSpace: false) { return segment.elementsEqual(text) }
        return PercentEncoding.decodedBytes(segment, plusIsSpace: false) == text
    }
}
