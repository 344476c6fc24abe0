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

    init(_ host: Host) {
        switch host.phase {
        case .starting: reasons.append(Reason(part: "host", detail: "starting"))
        case .stopping: reasons.append(Reason(part: "host", detail: "stopping"))
        case .running: break
        }
        let graph = host.graph
        let saving = Set(graph.sources.compactMap { $0.part.savesTo?.name })
        for node in graph.databases {
            add("databases.\(node.name)", node.part.readiness)
            if saving.contains(node.name) { add("databases.\(node.name).outbox", node.part.outboxReadiness) }
        }
        for node in graph.pubSubs { add("pubsub.\(node.name)", node.part.readiness) }
        for node in graph.channels { add("channels.\(node.name)", node.part.readiness) }
        for node in graph.sources { add("sources.\(node.name)", node.part.readiness) }
        for node in graph.groups { add(node.part) }
    }

    private mutating func add(_ part: String, _ readiness: Readiness) {
        switch readiness.status {
        case .ready: break
        case .closed: reasons.append(Reason(part: part, detail: "closed"))
        case .opening(let error): reasons.append(Reason(part: part, detail: error?.message ?? "opening"))
        }
    }

    private mutating func add(_ group: GroupRunner) {
        if group.isReady { return }
        let part = "groups.\(group.settings.name)"
        let troubles = group.health.current
        if troubles.isEmpty { reasons.append(Reason(part: part, detail: group.openingError?.message ?? "opening")) }
        for (place, trouble) in troubles.sorted(by: { $0.key.partition < $1.key.partition }) {
            reasons.append(
                Reason(part: part, detail: "\(place.topic)/\(place.partition) held: \(trouble.error.message)"))
        }
    }

    /// 200 or 503, with the reasons as JSON.
    var response: HTTPResponse {
        let waiting = reasons.map { reason -> JSONNode in
            ["part": .string(reason.part), "detail": .string(reason.detail)]
        }
        let body: JSONNode = ["ready": .bool(reasons.isEmpty), "waiting": .array(waiting)]
        return HTTPResponse(
            status: reasons.isEmpty ? 200 : 503, headers: [("Content-Type", "application/json")],
            body: Bytes(JSONWriter.text(body) + "\n"))
    }
}
