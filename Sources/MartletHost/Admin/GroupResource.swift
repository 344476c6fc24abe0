import Martlet
import Pipelines

/// `/v1/groups`: where groups stand, and what an operator does to them.
struct GroupResource: Sendable {
    let host: Host

    var list: HTTPResponse {
        var members: [(String, JSONNode)] = [
            ("groups", .array(host.graph.groups.map { Self.json($0.part.status, of: $0.part) }))
        ]
        if let log = host.remoteLog { members.append(("run_on", .string(log.url))) }
        return .json(.object(members))
    }

    func show(_ name: String) throws -> HTTPResponse {
        let group = try group(name)
        return .json(Self.json(group.status, of: group))
    }

    func pause(_ name: String) throws -> HTTPResponse {
        try groupHere(name).pause()
        return try show(name)
    }

    func resume(_ name: String) throws -> HTTPResponse {
        try groupHere(name).resume()
        return try show(name)
    }

    /// Previews or executes a reset; see ``ResetRequest``.
    func reset(_ name: String, _ body: JSONObject) async throws -> HTTPResponse {
        let group = try groupHere(name)
        let request = try ResetRequest(body, now: Timestamp.now())
        if let topic = request.topic, !group.settings.topics.contains(topic) {
            throw AdminProblem.unknown("topic", topic.text, among: group.settings.topics.map(\.text))
        }
        let changes = try await group.previewReset(to: request.target, topic: request.topic, partition: request.partition)
        if request.isExecuted { try await group.reset(changes) }
        var members: [(String, JSONNode)] = [
            ("group", .string(name)), ("executed", .bool(request.isExecuted)), ("partitions", .array(changes.map(Self.json))),
        ]
        let elsewhere = group.status.partitions.filter { partition in
            partition.phase == .elsewhere && (request.topic == nil || request.topic == partition.place.topic)
                && (request.partition == nil || request.partition == partition.place.partition)
        }
        // Those that other hosts read are to be reset there.
        if !elsewhere.isEmpty { members.append(("elsewhere", .array(elsewhere.map { .string("\($0.place.topic)/\($0.place.partition)") }))) }
        return .json(.object(members))
    }

    private func group(_ name: String) throws(AdminProblem) -> GroupRunner {
        let groups = host.graph.groups
        guard let node = groups.first(where: { $0.name == name }) else {
            throw .unknown("group", name, among: groups.map(\.name))
        }
        return node.part
    }

    /// A group that is to be changed, which can be done only where it runs.
    private func groupHere(_ name: String) throws(AdminProblem) -> GroupRunner {
        let group = try group(name)
        if let log = host.remoteLog {
            throw AdminProblem(409, "Conflict", "groups run on the host that has the log; use `--admin \(log.url)`")
        }
        return group
    }

    // MARK: JSON

    private static func json(_ change: GroupOffsetChange) -> JSONNode {
        [
            "topic": .string(change.place.topic.text), "partition": .integer(Int64(change.place.partition)),
            "from": change.from.map { .integer($0) } ?? .null, "to": .integer(change.to),
            "start": .integer(change.available.lowerBound), "end": .integer(change.available.upperBound),
            // What the group will have to consume afterwards.
            "lag": .integer(change.available.upperBound - change.to),
        ]
    }

    private static func json(_ status: GroupStatus, of group: GroupRunner) -> JSONNode {
        [
            "group": .string(status.name.text), "state": .string(status.phase.rawValue),
            "topics": .array(status.topics.map { .string($0.text) }),
            "transforms": .array(group.transforms.transforms.map { .string(type(of: $0).name) }),
            "target": .string(target(group.target)),
            "offsets_in": group.target.transactional == nil ? "log" : "sink",
            "lag": status.lag.map { .integer($0) } ?? .null, "counters": json(status.counters),
            "partitions": .array(status.partitions.map(json)),
        ]
    }

    private static func target(_ target: GroupTarget) -> String {
        switch target {
        case .sink(let sink): "sink/\(type(of: sink).name)"
        case .channel(let channel): "channel/\(type(of: channel).name)"
        }
    }

    private static func json(_ partition: GroupStatus.Partition) -> JSONNode {
        [
            "topic": .string(partition.place.topic.text), "partition": .integer(Int64(partition.place.partition)),
            "state": .string(partition.phase.rawValue), "offset": partition.offset.map { .integer($0) } ?? .null,
            "start": .integer(partition.available.lowerBound), "end": .integer(partition.available.upperBound),
            "lag": partition.lag.map { .integer($0) } ?? .null, "counters": json(partition.counters),
            "trouble": partition.trouble.map(json) ?? .null,
        ]
    }

    private static func json(_ counters: GroupStatus.Counters) -> JSONNode {
        let members: [(String, Int)] = [
            ("consumed", counters.consumed), ("handled", counters.handled), ("filtered", counters.filtered),
            ("dead_lettered", counters.deadLettered), ("expired", counters.expired), ("in_flight", counters.inFlight),
            ("retries", counters.retries),
        ]
        return .object(members.map { ($0.0, .integer(Int64($0.1))) })
    }

    private static func json(_ trouble: GroupHealth.Trouble) -> JSONNode {
        [
            "code": .string(trouble.error.code), "kind": .string(trouble.error.kind.rawValue),
            "message": .string(trouble.error.message), "since": .integer(trouble.since),
            "attempts": .integer(Int64(trouble.attempts)),
        ]
    }
}
