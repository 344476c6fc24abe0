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
            case database, pubsub, group, channel, source, query
        }

        let kind: Kind
        let name: String
    }

    package let config: PipelineConfig
    /// The topics to make, dead-letter topics included, in the order of the config.
    package let topics: [(name: TopicName, settings: TopicSettings)]
    package var databases: [Node<DatabaseRunner>] = []
    package var pubSubs: [Node<PubSubRunner>] = []
    package var groups: [Node<GroupRunner>] = []
    package var channels: [Node<ChannelRunner>] = []
    package var sources: [Node<SourceRunner>] = []
    package var queries: [Node<QueryRunner>] = []

    /// All configured HTTP routes, each with the path of the block that serves it.
    package var routes: [(owner: String, route: Route)] {
        var routes: [(String, Route)] = []
        for source in sources { routes += Self.routes(of: source.part.source, "sources.\(source.name)") }
        for channel in channels { routes += Self.routes(of: channel.part.channel, "channels.\(channel.name)") }
        for query in queries { routes += Self.routes(of: query.part, "queries.\(query.name)") }
        return routes
    }

    private static func routes(of part: Any, _ owner: String) -> [(String, Route)] {
        ((part as? any RouteProviding)?.routes ?? []).map { (owner, $0) }
    }
}
