import Martlet
import Pipelines
import Synchronization

/// `/v1/dead-letters`: what groups gave up on, and its way back to the topics that it came from.
///
/// Which dead letters were replayed is remembered as the offset of a group of its own, so that a second replay goes on
/// where the first one ended. A crash between publishing and remembering replays some again, under their old ids.
final class DeadLetterResource: Sendable {
    /// Dead letters that one request replays, at most.
    static let limitMax = 10_000
    private static let group: GroupName = "martlet.dead-letters"
    private static let suffix = TopicName("").deadLetters.text

    private let host: Host
    private let replaying = Mutex<Set<TopicName>>([])

    init(_ host: Host) {
        self.host = host
    }

    func list() async throws -> HTTPResponse {
        var topics: [JSONNode] = []
        for topic in host.log.topics() where topic.name.text.hasSuffix(Self.suffix) {
            var count: Int64 = 0
            var waiting: Int64 = 0
            for (partition, available) in try await host.log.positions(of: topic.name).offsets.enumerated() {
                count += Int64(available.count)
                waiting += available.upperBound - (try await next(topic.name, PartitionID(partition), available))
            }
            topics.append([
                "topic": .string(Self.origin(topic.name)), "dead_letters": .string(topic.name.text),
                "count": .integer(count), "not_replayed": .integer(waiting),
            ])
        }
        return .json(["topics": .array(topics)])
    }

    /// The dead-letter topic of a topic; also found by its own name.
    func topic(_ name: String) throws -> TopicInfo {
        let topics = host.log.topics().filter { $0.name.text.hasSuffix(Self.suffix) }
        let wanted = name.hasSuffix(Self.suffix) ? TopicName(name) : TopicName(name).deadLetters
        guard let topic = topics.first(where: { $0.name == wanted }) else {
            throw AdminProblem.unknown(
                "dead letters of topic", name, among: topics.map { Self.origin($0.name) }, title: "topics with dead letters")
        }
        return topic
    }

    /// Publishes dead letters to the topics that they came from, with their ids, keys, headers and timestamps.
    ///
    /// Body: `{"from": offset | "earliest", "limit": 1000}`. Without `from` it goes on after those replayed before.
    func replay(_ name: String, _ body: JSONObject) async throws -> HTTPResponse {
        let topic = try topic(name)
        let limit = try limit(body)
        guard replaying.withLock({ $0.insert(topic.name).inserted }) else {
            throw AdminProblem(409, "Conflict", "dead letters of \(topic.name) are being replayed; try again when that is done")
        }
        defer { replaying.withLock { _ = $0.remove(topic.name) } }
        var replay = Replay(topic: topic.name, from: try from(body))
        for (partition, available) in try await host.log.positions(of: topic.name).offsets.enumerated() {
            try await self.replay(PartitionID(partition), available, &replay, limit: limit)
        }
        return .json([
            "topic": .string(Self.origin(topic.name)), "replayed": .integer(Int64(replay.published)),
            "skipped": .integer(Int64(replay.skipped)), "remaining": .integer(replay.remaining),
            "refused": .array(replay.refusals),
        ])
    }

    // MARK: Replaying

    /// One request's replay.
    private struct Replay {
        let topic: TopicName
        let from: Offset?
        var published = 0
        /// Records that do not say where they came from, came from a topic that is no more, or do not meet its schema.
        var skipped = 0
        /// Why the first of them do not meet it.
        var refusals: [JSONNode] = []
        var remaining: Int64 = 0
    }

    private func replay(_ partition: PartitionID, _ available: Range<Offset>, _ replay: inout Replay, limit: Int) async throws {
        let remembered = try await self.next(replay.topic, partition, available)
        var next = max(available.lowerBound, replay.from ?? remembered)
        while next < available.upperBound {
            let room = limit - replay.published - replay.skipped
            let records = try await host.log.read(topic: replay.topic, partition: partition, from: next, maxBytes: 1 << 20)
            guard room > 0, let last = records.prefix(room).last else { break }
            try await publish(records.prefix(room), &replay)
            next = last.offset + 1
            try await host.log.commit(group: Self.group, topic: replay.topic, partition: partition, offset: next)
        }
        replay.remaining += max(0, available.upperBound - next)
    }

    private func publish(_ records: ArraySlice<Record>, _ replay: inout Replay) async throws {
        var order: [TopicName] = []
        var events: [TopicName: [Event]] = [:]
        for record in records {
            guard let origin = record.event.header("dead-letter-topic").map({ TopicName($0.string) }), host.log.topic(origin) != nil
            else {
                replay.skipped += 1
                continue
            }
            do throws(ModuleError) {
                try host.graph.schemas.check(record.event, for: origin)
            } catch {
                replay.skipped += 1
                if replay.refusals.count < 10 {
                    replay.refusals.append(["offset": .integer(record.offset), "problem": .string(error.message)])
                }
                continue
            }
            if events[origin] == nil { order.append(origin) }
            events[origin, default: []].append(record.event)
        }
        for origin in order {
            let batch = events[origin] ?? []
            _ = try await host.log.append(batch, to: origin)
            replay.published += batch.count
        }
    }

    /// The first dead letter that was not replayed.
    private func next(_ topic: TopicName, _ partition: PartitionID, _ available: Range<Offset>) async throws -> Offset {
        let committed = try await host.log.committedOffset(group: Self.group, topic: topic, partition: partition)
        return min(max(available.lowerBound, committed ?? 0), available.upperBound)
    }

    private func limit(_ body: JSONObject) throws(AdminProblem) -> Int {
        if let key = body.keys.first(where: { $0 != "from" && $0 != "limit" }) {
            throw .badRequest("unknown key `\(key)` (keys: from, limit)")
        }
        guard let node = body["limit"] else { return 1000 }
        guard let limit = node.wholeNumber, (1...Int64(Self.limitMax)).contains(limit) else {
            throw .badRequest("`limit` must be a number from 1 to \(Self.limitMax), found \(node.found)")
        }
        return Int(limit)
    }

    private func from(_ body: JSONObject) throws(AdminProblem) -> Offset? {
        guard let node = body["from"] else { return nil }
        if node.rawText == "earliest" { return 0 }
        guard let offset = node.wholeNumber, offset >= 0 else {
            throw .badRequest("`from` must be an offset or \"earliest\", found \(node.found)")
        }
        return offset
    }

    private static func origin(_ topic: TopicName) -> String { String(topic.text.dropLast(suffix.count)) }
}
