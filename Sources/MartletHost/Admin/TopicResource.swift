import Martlet
import Pipelines

/// `/v1/topics`: what the log has, beside what the config says.
struct TopicResource: Sendable {
    let host: Host

    var list: HTTPResponse {
        get throws {
            .json(["topics": .array(try host.log.topics().map { try json(of: $0) })])
        }
    }

    func show(_ name: String) throws -> HTTPResponse {
        .json(try json(of: topic(name)))
    }

    /// The topic of that name.
    ///
    /// - Throws: ``AdminProblem``, 404, also for the log's own topics.
    func topic(_ name: String) throws -> TopicInfo {
        let topics = host.log.topics()
        guard let topic = topics.first(where: { $0.name.text == name }) else {
            throw AdminProblem.unknown("topic", name, among: topics.map(\.name.text))
        }
        return topic
    }

    private func json(of topic: TopicInfo) throws -> JSONNode {
        let ranges = try (0..<PartitionID(topic.partitions)).map { try host.log.offsets(topic: topic.name, partition: $0) }
        let partitions = ranges.enumerated().map { index, range -> JSONNode in
            ["partition": .integer(Int64(index)), "start": .integer(range.lowerBound), "end": .integer(range.upperBound)]
        }
        let settings = host.graph.topics.first { $0.name == topic.name }?.settings
        return [
            "name": .string(topic.name.text), "incarnation": .string(topic.incarnation),
            "records": .integer(ranges.reduce(0) { $0 + Int64($1.count) }),
            "partitions": .array(partitions),
            // A topic that the config no longer has keeps its data.
            "settings": settings.map(Self.json) ?? .null,
        ]
    }

    private static func json(_ settings: TopicSettings) -> JSONNode {
        [
            "partitions": .integer(Int64(settings.partitions)),
            "retention_ms": settings.retentionMilliseconds.map { .integer($0) } ?? .null,
            "retention_bytes": settings.retentionBytes.map { .integer($0) } ?? .null,
            "segment_bytes": .integer(Int64(settings.segmentBytes)), "cleanup": .string(settings.cleanup.rawValue),
            "compression": .string(settings.compression.rawValue),
            "deduplicate": settings.deduplication.map { window in
                ["window_events": .integer(Int64(window.windowEvents)), "window_ms": .integer(window.windowMilliseconds)]
            } ?? .null,
        ]
    }
}
