import Martlet
import Synchronization

/// Writes down what the dispatcher finds out about endpoints, and tells the world of those that it disables.
final class EndpointDisabler: Sendable {
    /// The longest wait before a write is tried again. An endpoint that is to be disabled gets nothing more from this host, so
    /// that nobody would find out again what is not written.
    private static let waitMax = Duration.seconds(2)

    private struct State {
        /// One task an endpoint, and what is to be done for it, at a time.
        var tasks: [String: Task<Void, Never>] = [:]
        /// Since when endpoints fail, as it is to be noted: the last word counts.
        var notes: [String: Int64?] = [:]
        var isClosed = false
    }

    private let plan: ChannelPlan
    private let changed: @Sendable () -> Void
    private let state = Mutex(State())

    /// - Parameter changed: called when endpoints have changed.
    init(plan: ChannelPlan, changed: @escaping @Sendable () -> Void) {
        self.plan = plan
        self.changed = changed
    }

    func disable(_ name: String, because reason: String) {
        // The same in each try, by which a later one knows that an earlier one has written it down.
        let now = Timestamp.now()
        start("disable/" + name) { [self] in
            guard try await write(name, reason, now) else { return }
            // By itself: while the event is still to be published, an operator may resume the endpoint, and it may fail anew.
            start("event/\(name)/\(now)") { [self] in try await publish(name, reason, now) }
        }
    }

    /// Returns whether it is this that has disabled the endpoint.
    private func write(_ name: String, _ reason: String, _ now: Int64) async throws -> Bool {
        let row = try await plan.store.change(name) { row in
            guard row.state == .active || row.state == .paused else { return false }
            row.state = .disabled
            row.reason = reason
            row.changedAt = now
            return true
        }
        changed()
        guard let row, row.changedAt == now else { return false }
        plan.logger.error("endpoint disabled: \(reason)", ("endpoint", name), ("code", "webhook.endpoint_disabled"))
        return true
    }

    private func publish(_ name: String, _ reason: String, _ now: Int64) async throws {
        guard let events = plan.events else { return }
        let payload: JSONNode = [
            "type": "webhook.endpoint_disabled", "channel": .string(plan.name), "endpoint": .string(name), "reason": .string(reason),
            "time": .string(LogOutput.utc(now)),
        ]
        let event = Event(
            id: EventID.generate(), key: Bytes(name), headers: [], payload: Bytes(JSONWriter.bytes(payload)), timestamp: now)
        try await events.publish([event])
    }

    func note(_ name: String, failingSince since: Int64?) {
        state.withLock { $0.notes[name] = .some(since) }
        startNote(name)
    }

    private func startNote(_ name: String) {
        start("note/" + name) { [self] in
            guard let since = state.withLock({ $0.notes[name] }) else { return }
            try await plan.store.note(name, failingSince: since)
            state.withLock { state in
                if state.notes[name] == .some(since) { state.notes[name] = nil }
            }
        } afterwards: { [self] in
            // Another word has come meanwhile.
            if state.withLock({ $0.notes[name] != nil }) { startNote(name) }
        }
    }

    private func start(
        _ what: String, _ body: @escaping @Sendable () async throws -> Void, afterwards: @escaping @Sendable () -> Void = {}
    ) {
        state.withLock { state in
            guard !state.isClosed, state.tasks[what] == nil else { return }
            state.tasks[what] = Task { [self] in
                await run(body)
                self.state.withLock { $0.tasks[what] = nil }
                afterwards()
            }
        }
    }

    /// Tries until it is done or cannot be done, or the channel closes.
    private func run(_ body: @Sendable () async throws -> Void) async {
        var attempts = 0
        while true {
            do {
                return try await body()
            } catch let error as ModuleError where error.kind == .permanent {
                return plan.logger.error("what became of an endpoint is not noted: \(error)", ("code", error.code))
            } catch {
                attempts += 1
                if attempts & (attempts - 1) == 0 {
                    plan.logger.warning("cannot note what became of an endpoint (attempt \(attempts)); trying again: \(error)")
                }
                let wait = min(Self.waitMax, .milliseconds(250 << min(attempts - 1, 4)))
                guard (try? await Task.sleep(for: wait)) != nil else { return }
            }
        }
    }

    /// Returns when nothing is under way.
    func close() async {
        let tasks = state.withLock { state in
            state.isClosed = true
            return Array(state.tasks.values)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }
}
