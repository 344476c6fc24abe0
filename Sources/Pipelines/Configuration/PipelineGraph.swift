package import Martlet

/// A validated config with its modules made, ready to run. Parts that a reload left unchanged are the running ones.
package struct PipelineGraph: Sendable {
    /// A part with what decides whether a reload may keep it.
    package struct Node<Part: Sendable>: Sendable {
        package let name: String
        package let part: Part
        /// Its block of the config.
        let text: String
        /// The parts that it was made with, by kind and name.
        let uses: [PartID: ObjectIdentifier]
        /// Whether it runs already.
        package let isKept: Bool
    }

    /// A part of a graph, for references between parts.
    package struct PartID: Hashable, Sendable {
        package enum Kind: String, Sendable {
            case auth, database, pubsub, group, channel, source, query
        }

        let kind: Kind
        let name: String
    }

    package let config: PipelineConfig
    /// The topics to make, dead-letter topics included, in the order of the config.
    package let topics: [(name: TopicName, settings: TopicSettings)]
    /// What topics ask of the payloads that come in.
    package var schemas = TopicSchemas()
    package var authenticators: [Node<AuthRunner>] = []
    package var databases: [Node<DatabaseRunner>] = []
    package var pubSubs: [Node<PubSubRunner>] = []
    package var groups: [Node<GroupRunner>] = []
    package var channels: [Node<ChannelRunner>] = []
    package var sources: [Node<SourceRunner>] = []
    package var queries: [Node<QueryRunner>] = []
    /// What stands before the routes of each part, by its path: `sources.likes`.
    var guards: [String: RouteGuard] = [:]
    var cors: CORSPolicy?

    /// All configured HTTP routes, each with the path of the block that serves it.
    package var routes: [(owner: String, route: Route)] {
        var routes: [(String, Route)] = []
        for source in sources { routes += self.routes(of: source.part.source, "sources.\(source.name)") }
        for channel in channels { routes += self.routes(of: channel.part.channel, "channels.\(channel.name)") }
        for query in queries { routes += self.routes(of: query.part, "queries.\(query.name)") }
        return routes + preflights(routes)
    }

    private func routes(of part: Any, _ owner: String) -> [(String, Route)] {
        let routes = (part as? any RouteProviding)?.routes ?? []
        return (guards[owner]?.routes(routes) ?? routes).map { (owner, $0) }
    }

    /// With CORS, what answers `OPTIONS` on each path, whoever serves it.
    private func preflights(_ routes: [(owner: String, route: Route)]) -> [(String, Route)] {
        guard let cors else { return [] }
        var paths: [(shape: String, owner: String, path: String, methods: [(name: String, isAnonymous: Bool)])] = []
        for (owner, route) in routes {
            let shape = route.path.split(separator: "/", omittingEmptySubsequences: false)
                .map { $0.hasPrefix("{") ? "{}" : String($0) }.joined(separator: "/")
            let method = (name: route.method, isAnonymous: guards[owner]?.access == nil)
            if let index = paths.firstIndex(where: { $0.shape == shape }) {
                paths[index].methods.append(method)
            } else {
                paths.append((shape, owner, route.path, [method]))
            }
        }
        return paths.map { path in
            let methods = path.methods
            return (path.owner, Route("OPTIONS", path.path) { $0.respond(cors.preflight($0, methods)) })
        }
    }
}
