import Foundation
import Martlet
import Synchronization
import TestSupport
import Testing

@testable import MartletHost
@testable import Pipelines

/// Which parts of a running graph a new config keeps.
struct ReloadTests {
    /// Builds graphs of one config after the other.
    private final class Builder {
        let folder: TemporaryFolder
        let services: GraphServices
        private var previous: PipelineGraph?

        init() throws {
            folder = try TemporaryFolder()
            services = GraphServices(
                registry: try StandardModules.registry(), logger: .silent, metrics: MetricsRegistry(),
                payloads: SimdjsonPayloadReader(), schemas: ValijsonSchemaCompiler(), loops: HostLoops(count: 1),
                log: MemoryLog(), identity: HostIdentity(directory: folder.path), runsGroups: true)
        }

        /// The graph of the good config with edits; nil with the report if there are problems.
        func build(_ edits: (String, String)...) throws -> (graph: PipelineGraph?, report: String) {
            let text = edits.reduce(ConfigFixture.good) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
            let path = folder.path + "/config.json"
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            let (found, problems) = LoadedConfig.load(path: path, overrides: [])
            let loaded = try #require(found)
            let graph = GraphBuilder.build(
                loaded.config, root: loaded.root, baseDirectory: loaded.baseDirectory, services: services, previous: previous,
                problems: problems)
            if let graph { previous = graph }
            return (graph, problems.text.replacingOccurrences(of: folder.path + "/", with: ""))
        }

        /// The names of the parts that the new graph takes from the running one.
        func kept(_ edits: (String, String)...) throws -> Set<String> {
            let old = try #require(previous)
            let text = edits.reduce(ConfigFixture.good) { $0.replacingOccurrences(of: $1.0, with: $1.1) }
            let graph = try #require(try build((ConfigFixture.good, text)).graph)
            func names<Part: AnyObject>(_ new: [PipelineGraph.Node<Part>], _ old: [PipelineGraph.Node<Part>]) -> [String] {
                new.filter { node in
                    let isSame = old.contains { $0.part === node.part }
                    #expect(isSame == node.isKept)
                    return isSame
                }.map(\.name)
            }
            return Set(
                names(graph.databases, old.databases) + names(graph.pubSubs, old.pubSubs) + names(graph.groups, old.groups)
                    + names(graph.channels, old.channels) + names(graph.sources, old.sources) + names(graph.queries, old.queries))
        }
    }

    private static let all: Set<String> = ["main", "bus", "store", "push", "stream", "likes", "list"]

    @Test func theSameConfigKeepsEverything() throws {
        let builder = try Builder()
        #expect(try builder.build().graph != nil)
        #expect(try builder.kept() == Self.all)
    }

    @Test func layoutIsNoChange() throws {
        let builder = try Builder()
        _ = try builder.build()
        #expect(try builder.kept(("\n", "\n\n  ")) == Self.all)
    }

    @Test func aChangedGroupTakesTheChannelThatReplaysItAlong() throws {
        let builder = try Builder()
        _ = try builder.build()
        let edit = (#""sink": { "type": "pubsub""#, #""batch_events": 9, "sink": { "type": "pubsub""#)
        #expect(try builder.kept(edit) == Self.all.subtracting(["push", "stream"]))
    }

    @Test func aChangedGroupLeavesTheOthersAlone() throws {
        let builder = try Builder()
        _ = try builder.build()
        #expect(try builder.kept(("select(.actor != .owner)", ".")) == Self.all.subtracting(["store"]))
    }

    @Test func aChangedDatabaseTakesAlongWhatUsesIt() throws {
        let builder = try Builder()
        _ = try builder.build()
        #expect(try builder.kept((#""type": "sqlite","#, #""type": "sqlite", "readers": 3,"#)) == ["bus", "push", "stream"])
    }

    @Test func aChangedBusTakesAlongWhatUsesIt() throws {
        let builder = try Builder()
        _ = try builder.build()
        let edit = (#"{ "type": "memory" }"#, #"{ "type": "memory", "description": "moved" }"#)
        #expect(try builder.kept(edit) == Self.all.subtracting(["bus", "push", "stream"]))
    }

    @Test func aTopicsSettingsAreItsOwn() throws {
        let builder = try Builder()
        _ = try builder.build()
        #expect(try builder.kept((#""retention_hours": 168"#, #""retention_hours": 24"#)) == Self.all)
    }

    @Test func partsThatWereMadeAnewAreKeptTheNextTime() throws {
        let builder = try Builder()
        _ = try builder.build()
        let edit = ("select(.actor != .owner)", ".")
        _ = try builder.kept(edit)
        #expect(try builder.kept(edit) == Self.all)
    }

    /// The blocks of the group and the source did not change, yet they refer to nothing now.
    @Test func aTopicThatIsTakenAwayIsMissedByPartsThatDidNotChange() throws {
        let builder = try Builder()
        _ = try builder.build()
        let (graph, report) = try builder.build((#""topics": { "likes": {"#, #""topics": { "loves": {"#))
        #expect(graph == nil)
        #expect(
            report == """
                config.json:22:29: sources.likes.publish.topic: unknown topic `likes`
                  topics: loves
                config.json:27:18: groups.store.topics[0]: unknown topic `likes`
                  topics: loves
                config.json:32:18: groups.push.topics[0]: unknown topic `likes`
                  topics: loves
                """)
    }
}
