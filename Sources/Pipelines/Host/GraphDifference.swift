/// The running parts that a new graph does not keep.
struct GraphDifference {
    let authenticators: [AuthRunner]
    let databases: [DatabaseRunner]
    let pubSubs: [PubSubRunner]
    let groups: [GroupRunner]
    let channels: [ChannelRunner]
    /// Sources that leave and use a database that leaves.
    let sourcesOfDatabases: [SourceRunner]
    let otherSources: [SourceRunner]

    init(from old: PipelineGraph, to new: PipelineGraph) {
        authenticators = Self.leaving(old.authenticators, new.authenticators)
        databases = Self.leaving(old.databases, new.databases)
        pubSubs = Self.leaving(old.pubSubs, new.pubSubs)
        groups = Self.leaving(old.groups, new.groups)
        channels = Self.leaving(old.channels, new.channels)
        let sources = Self.leaving(old.sources, new.sources)
        let gone = Set(databases.map(ObjectIdentifier.init))
        func usesGone(_ source: SourceRunner) -> Bool {
            source.savesTo.map { gone.contains(ObjectIdentifier($0)) } ?? false
        }
        sourcesOfDatabases = sources.filter(usesGone)
        otherSources = sources.filter { !usesGone($0) }
    }

    private static func leaving<Part: AnyObject>(
        _ old: [PipelineGraph.Node<Part>], _ new: [PipelineGraph.Node<Part>]
    ) -> [Part] {
        let kept = Set(new.map { ObjectIdentifier($0.part) })
        return old.map(\.part).filter { !kept.contains(ObjectIdentifier($0)) }
    }
}
