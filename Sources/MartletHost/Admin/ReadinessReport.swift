import Martlet
import Pipelines

/// Whether the host does all its work, and what it waits for if not.
struct ReadinessReport {
    /// One reason why the host is not ready.
    private struct Reason {
        let part: String
        let detail: String
    }

    private var reasons: [Reason] = []
    /// What does not work, though the host does what it can without.
    private var degraded: [Reason] = []

    init(_ host: Host) {
        switch host.phase {
        case .starting: reasons.append(Reason(part: "host", detail: "starting"))
        case .stopping: reasons.append(Reason(part: "host", detail: "stopping"))
        case .running: break
        }
        let graph = host.graph
        let saving = Set(graph.sources.compactMap { $0.part.savesTo?.name })
        for node in graph.authenticators { add("auth.\(node.name)", node.part.readiness) }
        for node in graph.databases {
            add("databases.\(node.name)", node.part.readiness)
            if saving.contains(node.name) { add("databases.\(node.name).outbox", node.part.outboxReadiness) }
        }
        for node in graph.pubSubs {
            add("pubsub.\(node.name)", node.part.readiness)
            // Streams reread the log once the bus is back, and likes do not need it: no reason to take the host away.
            if let trouble = node.part.trouble { degraded.append(Reason(part: "pubsub.\(node.name)", detail: trouble.message)) }
        }
        for node in graph.channels { add("channels.\(node.name)", node.part.readiness) }
        for node in graph.sources { add("sources.\(node.name)", node.part.readiness) }
        if let log = host.remoteLog {
            add(log)
        } else {
            if let log = host.sharedLog { add(log) }
            for node in graph.groups { add(node.part, host.sharedLog?.log) }
        }
    }

    /// While a shared log is away, the host saves, and delivers what the bus brings: it is not taken out of service for that,
    /// once it has begun and its topics are there.
    private mutating func add(_ runner: SharedLogRunner) {
        let trouble = runner.log.trouble.map { Reason(part: "log", detail: $0.message) }
        guard runner.log.hasAnswered else {
            return reasons.append(trouble ?? Reason(part: "log", detail: "opening"))
        }
        if let trouble { degraded.append(trouble) }
        for topic in runner.unmadeTopics {
            let detail = topic.error.map { "topic \(topic.name) cannot be made: \($0.message)" } ?? "topic \(topic.name) is not made yet"
            reasons.append(Reason(part: "log", detail: detail))
        }
    }

    /// A host without a log of its own saves, and delivers what the bus brings, while the log's host is away: it is not
    /// taken out of service for that, once it has begun.
    private mutating func add(_ log: RemoteEventLog) {
        for topic in log.missingTopics {
            reasons.append(Reason(part: "log", detail: "the log's host, \(log.url), has no topic \(topic); add it to `topics` there"))
        }
        guard let trouble = log.trouble else {
            if !log.hasHeard { reasons.append(Reason(part: "log", detail: "opening")) }
            return
        }
        let reason = Reason(part: "log", detail: trouble.message)
        if log.hasHeard { degraded.append(reason) } else { reasons.append(reason) }
    }

    private mutating func add(_ part: String, _ readiness: Readiness) {
        switch readiness.status {
        case .ready: break
        case .closed: reasons.append(Reason(part: part, detail: "closed"))
        case .opening(let error): reasons.append(Reason(part: part, detail: error?.message ?? "opening"))
        }
    }

    /// - Parameter log: the log, if hosts share it: a group that waits for it is no reason of its own, once it has answered.
    private mutating func add(_ group: GroupRunner, _ log: (any SharedLog)?) {
        if group.isReady { return }
        let part = "groups.\(group.settings.name)"
        let troubles = group.health.current
        if troubles.isEmpty { reasons.append(Reason(part: part, detail: group.openingError?.message ?? "opening")) }
        for (place, trouble) in troubles.sorted(by: { $0.key.partition < $1.key.partition }) {
            let reason = Reason(part: part, detail: "\(place.topic)/\(place.partition) held: \(trouble.error.message)")
            if let log, log.hasAnswered, Self.isAbout(log, trouble.error) { degraded.append(reason) } else { reasons.append(reason) }
        }
    }

    /// Whether the log is away, rather than without what is asked of it.
    private static func isAbout(_ log: any SharedLog, _ error: ModuleError) -> Bool {
        error.code.hasPrefix("log.") && error.kind == .transient || error.code == log.trouble?.code
    }

    /// 200 or 503, with the reasons as JSON.
    var response: HTTPResponse {
        func json(_ reasons: [Reason]) -> JSONNode {
            .array(reasons.map { ["part": .string($0.part), "detail": .string($0.detail)] })
        }
        var members: [(String, JSONNode)] = [("ready", .bool(reasons.isEmpty)), ("waiting", json(reasons))]
        if !degraded.isEmpty { members.append(("degraded", json(degraded))) }
        let body = JSONNode.object(members)
        return HTTPResponse(
            status: reasons.isEmpty ? 200 : 503, headers: [("Content-Type", "application/json")],
            body: Bytes(JSONWriter.text(body) + "\n"))
    }
}
