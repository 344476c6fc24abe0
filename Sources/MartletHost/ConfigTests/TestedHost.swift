import Martlet
import Pipelines

/// When a host under test is ready for the next step.
struct TestedHost {
    private let host: Host

    init(_ host: Host) {
        self.host = host
    }

    /// Returns when every part of the config is open.
    func untilReady(_ deadline: ContinuousClock.Instant) async throws {
        try await wait(deadline) { unopened }
    }

    /// Returns when nothing is under way any more: no outbox row, no record that a group has not handled.
    func untilSettled(_ deadline: ContinuousClock.Instant) async throws {
        try await wait(deadline) { unsettled }
    }

    /// What is not open yet, and why.
    private var unopened: String? {
        let graph = host.graph
        let parts = graph.databases.map { ("database", $0.name, $0.part.readiness) } + graph.pubSubs.map { ("pubsub", $0.name, $0.part.readiness) }
            + graph.channels.map { ("channel", $0.name, $0.part.readiness) } + graph.sources.map { ("source", $0.name, $0.part.readiness) }
        for (kind, name, readiness) in parts where !readiness.isReady {
            guard case .opening(let error?) = readiness.status else { return "the \(kind) \(name) is not open" }
            return "the \(kind) \(name) cannot be opened: \(error)"
        }
        let saving = graph.sources.compactMap(\.part.savesTo)
        for database in saving where !database.outboxReadiness.isReady { return "the outbox of the database \(database.name) is not open" }
        for node in graph.groups where node.part.status.phase == .opening {
            return "the group \(node.name) is not open" + (node.part.openingError.map { ": \($0)" } ?? "")
        }
        return nil
    }

    private var unsettled: String? {
        let graph = host.graph
        for node in graph.databases where node.part.outbox.hasUnpublished { return "the outbox of the database \(node.name) is not empty" }
        for node in graph.groups {
            let status = node.part.status
            if status.phase == .paused { continue }
            if status.lag == 0, status.counters.inFlight == 0 { continue }
            let trouble = status.partitions.compactMap(\.trouble).first.map { ": \($0.error)" } ?? ""
            return "the group \(node.name) has not handled all of its records\(trouble)"
        }
        return nil
    }

    private func wait(_ deadline: ContinuousClock.Instant, _ reason: () -> String?) async throws {
        while let waiting = reason() {
            guard .now < deadline else { throw ConfigTestFailure("waited too long (`within_ms`): \(waiting)") }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
